"""Tests of announcements beyond WeChat."""
