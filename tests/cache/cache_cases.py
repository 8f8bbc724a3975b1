"""Texts, and corpora of them from the cache and without it."""

import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from charlm.cache import corpora
from charlm.cache.folder import CacheFolder
from charlm.errors import CharlmError
from charlm.text import corpus as plain
from charlm.text.corpus import Corpus
from charlm.text.sources import Texts, find_texts

PROSE = "It was a rather long line of prose, longer than any item of a list.\nAnd this is the next.\n\n" * 30
NAMES = "".join(f"Name {chr(97 + index % 26)}{index}\n" for index in range(120))
LONG_AGO = 1_600_000_000


def use_cache(folder: Path, patch: pytest.MonkeyPatch) -> CacheFolder:
    """Have texts of any size kept in a folder."""
    patch.setenv("CHARLM_CACHE", str(folder))
    patch.setattr(corpora, "FEWEST_BYTES", 0)
    return CacheFolder(folder)


def write(path: Path, text: str, *, old: bool = True) -> Path:
    """Write a text; an old one was not changed just now."""
    path.write_bytes(text.encode())
    if old:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def found(*paths: Path) -> Texts:
    """The texts at these paths."""
    return find_texts(list(paths))


def prepare(*paths: Path, **options: Any) -> Corpus:
    """A corpus by the cache."""
    return corpora.prepare(found(*paths), **options)


def compute(*paths: Path, **options: Any) -> Corpus:
    """The same without a cache."""
    return plain.prepare(found(*paths), **options)


def recall(*paths: Path, **options: Any) -> Corpus:
    """A corpus that must be in the cache."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("it is not in the cache")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora, "draft", refuse)
        return prepare(*paths, **options)


def outcome(corpus_of: Any, *paths: Path, **options: Any) -> Any:
    """A corpus, or what was wrong in words."""
    try:
        return facts(corpus_of(*paths, **options))
    except CharlmError as error:
        return type(error), str(error)


def facts(corpus: Corpus) -> dict[str, Any]:
    """Every attribute of a corpus, in a form that can be compared."""
    tokenizer, vocabulary = corpus.tokenizer, corpus.tokenizer.vocabulary
    about = {name: value for name, value in vars(corpus).items() if name not in ("tokenizer", "train", "valid")}
    for name in ("train", "valid"):
        part = getattr(corpus, name)
        about[name] = {**vars(part), "ids": (str(part.ids.dtype), np.asarray(part.ids).tolist())}
        assert not part.ids.flags.writeable
    arrays = [(str(each.dtype), each.tolist()) for each in (vocabulary.data, vocabulary.offsets, vocabulary.counts)]
    return {**about, "tokenizer": (tokenizer.level, tokenizer.unit, tokenizer.lowercase, vocabulary.raw, arrays)}


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def the_entry(cache: CacheFolder) -> Path:
    """The file of the only entry."""
    (only,) = cache.kept()
    return only.path
