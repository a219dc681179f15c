"""Citizens' requests for a unit that is missing in the directory, and the organizers' answers."""
