"""Counting models: interpolated modified Kneser-Ney, the baseline that a network is to beat.

Each file imports only from the ones above it:

    sequences.py     texts as one row of ids, each behind <s>
    counting.py      the distinct n-grams of a text as a trie, and how often each occurs
    smoothing.py     counts -> probabilities and backoffs
    model.py         the model: probabilities of texts, and its file
    arpa.py          the model as the text format of other tools, and back
"""
