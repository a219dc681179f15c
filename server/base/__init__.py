"""Shared infrastructure: settings, clock, errors, transactions, Redis, jobs, web."""
