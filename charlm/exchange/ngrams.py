"""A counting model from an ARPA file."""

from contextlib import closing
from pathlib import Path

import numpy as np

from charlm.config import TextConfig
from charlm.errors import InputError
from charlm.machine import fingerprint
from charlm.ngram.arpa import read_arpa
from charlm.ngram.model import NGramModel
from charlm.ngram.spelling import tokens_of
from charlm.text.flat import SURROGATES, flatten
from charlm.text.inputs import lines_of
from charlm.text.reading import TextReader, file_source
from charlm.text.tokenizer import Tokenizer, check_options
from charlm.text.vocabulary import SPECIAL_TOKENS, Vocabulary


def import_arpa(path: Path, level: str) -> NGramModel:
    """The model of an ARPA file, whose lines are texts of their own.

    Args:
        path: of the file.
        level: what its words are.

    Raises:
        UsageError: there is no such level.
        InputError: it cannot be read or is no ARPA file, or its words do not go with the level.
    """
    unit = check_options(level, "line", lowercase=False)
    with closing(TextReader(file_source(path), "utf-8")) as reader:
        words, trie, smoothed = read_arpa(lines_of(reader, "\n"), str(path))
    tokens = [*SPECIAL_TOKENS, *tokens_of(words[2:-1])]
    if level == "char" and any(len(token) != 1 for token in tokens[2:]):
        strange = next(token for token in tokens[2:] if len(token) != 1)
        raise InputError(f"{path} holds {strange!r}, which is no character: --level token takes words as they are")
    data, offsets = flatten([token.encode("utf-8", SURROGATES) for token in tokens])
    vocabulary = Vocabulary.from_arrays(data, offsets, np.zeros(len(tokens), np.int64))
    record = {"corpus": None, "made_with": {**fingerprint(), "imported": path.name}, "train": None}
    text = TextConfig(level=level, unit=unit, independent_lines=True)
    return NGramModel(trie, smoothed, Tokenizer(level, unit, vocabulary), text, record)
