"""Checks of training: what the optimizer does, and whether the program can learn."""
