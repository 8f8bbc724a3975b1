"""What of a sample stands verbatim in the training text.

suffixes.py   ids -> the order of their suffixes
index.py      a text -> a file of its suffixes in order, and the longest stretch of a query that stands in it
kept.py       the same, from the cache if it is there
copies.py     a model -> its training text's index; samples -> what they copy
"""
