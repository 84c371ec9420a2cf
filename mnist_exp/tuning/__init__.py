"""What did a search of settings find?"""
