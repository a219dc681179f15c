"""Practice without clock or rank, and the book of mistakes."""
