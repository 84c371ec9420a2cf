"""`python -m mnist_exp.rerun`: train a recorded run again; is it identical?"""
