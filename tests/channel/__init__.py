"""Tests of the official account as such."""
