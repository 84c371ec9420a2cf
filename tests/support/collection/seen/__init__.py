"""The half of the collection that one may look at; harm.csv says which faults do harm."""
