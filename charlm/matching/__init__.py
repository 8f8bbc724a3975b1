"""Samples that match a regular expression.

patterns.py   a regular expression, and which tokens can lead to a match of it
search.py     samples that match, found by going back where no token leads on
"""
