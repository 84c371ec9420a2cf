"""`python -m mnist_exp.reproduce`: run the tutorials, and say which of their claims hold."""
