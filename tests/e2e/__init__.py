"""The product started as a newcomer starts it, and used from outside only."""
