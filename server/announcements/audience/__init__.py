"""Audiences of announcements: the rule, the people it selects, and what can reach them."""
