"""What decides the ids of a corpus, as names of files.

Ids are kept under the key of what they are: the texts, the vocabulary, and how the texts are split. A run that
builds its vocabulary does not know it beforehand; so a *recipe*, under the key of all that it was asked for, says
what came of that the last time.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from charlm.text.tokenizer import Tokenizer
from charlm.version import __version__

FORMAT = 1
"""To be raised with every change of what texts are cut into, or of what an entry holds."""

Options = Mapping[str, Any]
"""Every argument of ``text.corpus.draft`` but the texts, by its name."""
Digests = tuple[tuple[str, ...], tuple[str, ...] | None]
"""The digests of each of the texts, and of the validation texts if there are any."""


def recipe_keys(digests: Digests, options: Options) -> tuple[str, str]:
    """The keys of what was asked for: one for texts that no seed changes, one for those that it does."""
    asked = {**options, "tokenizer": _digest_of(options["tokenizer"])}
    return _key("recipe", digests, {**asked, "seed": None}), _key("recipe", digests, asked)


def entry_key(digests: Digests, options: Options, tokenizer: Tokenizer, *, independent_lines: bool) -> str:
    """The key of ids.

    Args:
        digests: of what the texts hold.
        options: what was asked for.
        tokenizer: with the vocabulary that came of it.
        independent_lines: whether each line is a text of its own, as it was asked for or found out.
    """
    settled = {
        "level": tokenizer.level,
        "unit": tokenizer.unit,
        "lowercase": tokenizer.lowercase,
        "tokenizer": _digest_of(tokenizer),
        # The vocabulary says what came of these.
        "min_count": None,
        "max_vocab": None,
        "extend": None,
        "independent_lines": independent_lines,
        # Nothing is drawn from a stream.
        "seed": options["seed"] if independent_lines else None,
    }
    return _key("ids", digests, {**options, **settled})


def known_entry_key(digests: Digests, options: Options) -> str | None:
    """The key of ids where it can be told beforehand; None where a vocabulary is built, or lines are looked at."""
    tokenizer, lines = options["tokenizer"], options["independent_lines"]
    if tokenizer is None or options["extend"] or lines is None:
        return None
    return entry_key(digests, options, tokenizer, independent_lines=lines)


def _key(kind: str, digests: Digests, options: Options) -> str:
    text = json.dumps([kind, _versions(), digests, options], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def _versions() -> tuple[str, ...]:
    """What may change how a text is cut: this program, what it calls a letter, and the patterns it uses."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to load, and only large texts come here

    return (str(FORMAT), __version__, unicodedata.unidata_version, version("regex"))


def _digest_of(tokenizer: Tokenizer | None) -> str | None:
    if tokenizer is None:
        return None
    vocabulary = tokenizer.vocabulary
    digest = hashlib.sha256(f"{tokenizer.level} {tokenizer.unit} {tokenizer.lowercase}".encode())
    for array in (vocabulary.data, vocabulary.offsets, vocabulary.counts):
        digest.update(f" {len(array)} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
