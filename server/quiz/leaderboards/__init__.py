"""Standings, ranks, leaderboards and groups."""
