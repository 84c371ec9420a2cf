"""Checks of what lies between the inputs and the outputs."""
