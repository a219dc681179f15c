"""One message to one person: what may be pushed to a citizen, and the inbox that takes it all."""
