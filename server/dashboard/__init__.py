"""The organizers' dashboard: figures of participation, counted in the background."""
