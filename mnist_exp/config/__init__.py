"""What can be set: every setting, composed by Hydra and checked."""
