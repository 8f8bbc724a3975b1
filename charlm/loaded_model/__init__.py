"""A trained model in Python, by what is done with it."""
