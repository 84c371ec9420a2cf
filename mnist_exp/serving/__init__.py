"""The model that a run logs: its code, its preprocessing, and its place in the registry."""
