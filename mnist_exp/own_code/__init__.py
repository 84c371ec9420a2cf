"""Code of a user's own: found, read, recorded and run."""
