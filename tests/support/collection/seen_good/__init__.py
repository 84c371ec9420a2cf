"""The half of the good programs that everyone may look at."""
