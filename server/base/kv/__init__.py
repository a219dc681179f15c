"""Redis by purpose: boards, limits, locks, once-only keys; nothing kept here is the truth."""
