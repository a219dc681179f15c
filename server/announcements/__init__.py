"""Announcements: organizers' messages to many citizens, with one ledger row per person."""
