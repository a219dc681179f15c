"""The demo: all processes on one machine, and a season in progress."""
