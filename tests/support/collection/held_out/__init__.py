"""The half of the faulty programs that is run at the end only: no threshold was chosen by it."""
