"""Citizens' papers: start, answers, closing, records."""
