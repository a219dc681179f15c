"""Announcements beyond WeChat: a public feed, so that other platforms carry the same facts."""
