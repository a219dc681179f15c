"""Complete peers: other stacks that do the same work as ours on the same tables and Redis."""
