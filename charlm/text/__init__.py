"""Strings to ids and back; knows nothing of networks.

Each file imports only from the ones above it:

    reading.py       files -> blocks of normalised text, digested while they are read
    store.py         ids appended one block after another, in little memory
    progress.py      following how a corpus is read and encoded
    sources.py       names on a command line -> the texts they stand for
    inputs.py        the texts to score in a file or a pipe
    flat.py          strings as flat arrays, which a model file can hold
    labelled.py      texts with a label a line: the labels are read off
    vocabulary.py    what each id stands for
    level.py         what a level of tokens has to provide
    segment.py       blocks of text -> code points, and marks where a unit ends
    characters.py    the char level: one file a level
    octets.py        the byte level
    tokens.py        the token level, and what it shares with the word level
    words.py         the word level
    tokenizer.py     the registry of levels; text <-> ids under one vocabulary
    indexing.py      texts one after another -> provisional ids
    lines.py         lists of independent lines: to recognise and to split them
    splitting.py     which ids train and which validate
    parts.py         the encoded parts, and what is counted in them
    checks.py        refusing texts that leave nothing to learn
    corpus.py        texts -> everything training and evaluation need of them
    census.py        what tokens a text has, and how many of them a vocabulary covers
"""
