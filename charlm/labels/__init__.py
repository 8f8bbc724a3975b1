"""Labelled texts, labels and figures of merit: the text side of tagging and classification.

Each file imports only from the ones above it:

    rows.py          many strings as few numbers, and where each row stood in which file
    columns.py       CoNLL column files -> words, labels and sentences
    records.py       lines of tables and of JSON: which it is, and the fields of an object
    examples.py      TSV, JSON lines or a folder a label -> texts and their labels
    fields.py        rows of named fields as they come, from tables and JSON lines
    schemes.py       BIO, BIOES or plain labels: which it is, and the entities that labels mark
    label_set.py     labels <-> ids, and in what form a model file holds them
    measures.py      accuracy, precision, recall and F1
"""
