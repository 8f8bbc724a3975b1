"""Token ids of large texts kept on the disk, so that they are read and cut only once.

folder.py     where they are kept; what is there, and what has to go
notes.py      files -> digests of what they hold, mostly without reading them
keys.py       what decides ids -> the name that they are kept under
entry.py      the file of a corpus: written once, checked whenever it is read
corpora.py    texts -> a corpus, from the cache if it is there
"""
