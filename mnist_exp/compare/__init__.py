"""Which group of tracked runs is better, by how much, and is that luck?"""
