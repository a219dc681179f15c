"""Watching an announcement: progress, recipients, the funnel, alarms."""
