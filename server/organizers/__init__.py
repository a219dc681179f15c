"""Organizers: accounts, roles, log-in with two factors, sessions, invitations, their places."""
