"""Check-in: who came to an activity, by which gate, and how long each stayed."""
