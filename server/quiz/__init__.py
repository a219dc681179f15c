"""The science-literacy contest: question bank, papers, attempts, scores and boards."""
