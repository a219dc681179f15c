"""Redis by purpose; every user copes with its absence."""
