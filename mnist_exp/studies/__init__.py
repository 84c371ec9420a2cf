"""The sweeps of this project in MLflow: the parent run, its trials and its page."""
