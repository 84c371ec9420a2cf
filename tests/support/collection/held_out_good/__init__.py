"""The half of the good programs that is run at the end only."""
