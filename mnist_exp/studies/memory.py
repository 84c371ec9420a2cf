"""What a study and its trials remember of the runs."""

RUN_ID = "mlflow_run_id"  # what a study, and each of its trials, remembers of its run
