"""The commands of `python -m server`, as an operator runs them."""
