"""Samples that match a regular expression.

patterns.py   a regular expression, and which tokens can lead to a match of it
limits.py     how long an expression may take
shortest.py   the fewest characters that a match can have
search.py     samples that match, found by going back where no token leads on
"""
