"""Tests of code of a user's own."""
