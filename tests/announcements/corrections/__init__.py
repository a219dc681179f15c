"""Corrections of announcements."""
