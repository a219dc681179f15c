"""The shared wing: settings, clock, errors, the transaction, Redis, jobs, web; no campaign."""
