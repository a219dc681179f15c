"""The audit trail: changes by organizers, commands and the system, in one hash chain."""
