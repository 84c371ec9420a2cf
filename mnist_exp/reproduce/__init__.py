"""`python -m mnist_exp.reproduce`: train the tutorials' presets; which claims hold?"""
