"""Counting models: interpolated modified Kneser-Ney, the baseline that a network is to beat.

Each file imports only from the ones above it:

    tables.py         where keys stand among sorted ones
    trie.py           the n-grams of all orders as sorted keys, and those that end at the places of a text
    counting.py       the distinct n-grams of a text as a trie, and how often each occurs
    smoothing.py      counts -> probabilities and backoffs
    probabilities.py  what these say of each word of a text
    model.py          the model: probabilities of texts, and its file
    arpa.py           the model as the text format of other tools, and back
    spelling.py       tokens as that format's words
"""
