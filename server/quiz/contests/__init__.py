"""Contests, their windows and rule sets."""
