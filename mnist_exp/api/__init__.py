"""What `from mnist_exp import ...` offers to Python and notebooks: runs, tables and answers."""
