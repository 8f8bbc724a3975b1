"""Counting models: interpolated modified Kneser-Ney, the baseline that a network is to beat.

Each file imports only from the ones above it:

    workspace.py      rows of numbers, in memory or in temporary files
    packing.py        n-grams as few numbers of 64 bits
    sorting.py        more rows than memory holds, sorted
    tables.py         where keys stand among sorted ones
    trie.py           the n-grams of all orders as sorted keys, and those that end at the places of a text
    counting.py       a text's n-grams, from their last words back, and how often each occurs
    smoothing.py      counts -> probabilities and backoffs
    estimating.py     all orders of a text, one after another, as a trie
    probabilities.py  what these say of each word of a text
    model.py          the model: probabilities of texts, and reading its file
    storing.py        writing its file
    arpa.py           the model as the text format of other tools, and back
    spelling.py       tokens as that format's words
"""
