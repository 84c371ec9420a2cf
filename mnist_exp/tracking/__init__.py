"""MLflow: runs are written, kept on disk, sent, read back and described."""
