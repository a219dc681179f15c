"""What citizens and organizers say about questions."""
