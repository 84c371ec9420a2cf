"""Training programs that are right or have one mistake, each a function of a seed.

Unless a name says otherwise, models go from images [B, 28, 28, 1] to logits [B, 10], and losses
take integer labels [B] and logits.
"""
