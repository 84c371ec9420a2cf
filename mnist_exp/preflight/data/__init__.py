"""Checks of the inputs and the labels."""
