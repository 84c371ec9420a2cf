"""Programs after public sources that choose no threshold: faulty ones with their repair, good ones.

What others made of Keras for other tasks and shapes than MNIST's, re-made small and in own words.
"""
