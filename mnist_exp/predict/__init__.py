"""`python -m mnist_exp.predict`: read digits with the models of runs."""
