"""Practice without clock or rank, and the wrong-answer book."""
