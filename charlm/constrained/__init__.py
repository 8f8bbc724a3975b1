"""Texts that are asked for in part: by a pattern that they match, or by what stands around a gap.

patterns.py   a regular expression, and which tokens can lead to a match of it
matching.py   samples that match, found by going back where no token leads on
filling.py    what may stand in the gaps of a text, by the probability of the whole
"""
