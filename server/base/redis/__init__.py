"""Redis by purpose; every caller handles its absence."""
