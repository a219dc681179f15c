"""Reports about questions, by citizens and organizers."""
