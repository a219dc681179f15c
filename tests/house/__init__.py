"""Tests of the house itself: the rules that keep it calm."""
