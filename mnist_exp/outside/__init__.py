"""Facts about the world outside, each handled in one place: URIs, files, terminals, signals."""
