"""Taggers and classifiers: labelled texts as numbers, the trained model, and what it says of a text."""
