"""Citizens: who they are, how they log in, what they agreed to, and how they are forgotten."""
