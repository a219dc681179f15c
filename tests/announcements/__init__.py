"""Tests of the slice of announcements."""
