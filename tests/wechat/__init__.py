"""Tests of everything that speaks to or hears from WeChat."""
