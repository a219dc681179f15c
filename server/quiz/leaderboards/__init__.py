"""Standings, ranks, boards and the groups that have boards."""
