"""The benchmark: hot paths measured side by side with their floors, in one run."""
