"""Citizens: identity, login, consent, profile, export and erasure."""
