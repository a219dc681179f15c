"""Papers of citizens: start, answers, closing, records."""
