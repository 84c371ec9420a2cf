"""The matplotlib figures of one run; nothing here writes files or opens windows."""
