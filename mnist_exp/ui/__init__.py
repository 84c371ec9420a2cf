"""`python -m mnist_exp.ui`: MLflow's pages on the runs of a store."""
