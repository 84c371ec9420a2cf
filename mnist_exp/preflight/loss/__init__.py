"""Checks of the loss, and of outputs that it does not fit."""
