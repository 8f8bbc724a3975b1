"""Texts to a corpus: from the cache if its ids are there, else computed, and kept there for the next time."""

import inspect
from contextlib import suppress
from typing import Any

from charlm.cache.entry import entry_bytes, read_entry, write_entry
from charlm.cache.folder import CacheFolder, default_folder
from charlm.cache.keys import Digests, Options, entry_key, known_entry_key, recipe_keys
from charlm.cache.notes import Notes, stamps_of, total_size
from charlm.errors import InputError
from charlm.text.corpus import Corpus, Draft, draft
from charlm.text.sources import Texts

FEWEST_BYTES = 4_000_000
"""Smaller texts are read in no time."""
_SIGNATURE = inspect.signature(draft)


def prepare(texts: Texts, **options: Any) -> Corpus:
    """A corpus as ``text.corpus.prepare`` computes it, with the same options and errors; its ids come from the cache.

    What comes through a pipe, small texts, and texts with labels are not kept. That the cache cannot be read or
    written, or that something in it is damaged, only means that the corpus is computed.
    """
    path = default_folder()
    if path is None or options.get("labels") or not _worth_keeping(texts, options.get("valid_texts")):
        return draft(texts, **options).encode()
    return CachedPreparation(CacheFolder(path), texts, options).corpus()


def _worth_keeping(texts: Texts, valid_texts: Texts | None) -> bool:
    stamps = stamps_of((*texts.sources, *(valid_texts.sources if valid_texts else ())))
    return stamps is not None and total_size(stamps) >= FEWEST_BYTES


class CachedPreparation:
    """A corpus in the making.

    Args:
        folder: the cache.
        texts: what to read: regular files.
        options: those of ``text.corpus.draft``, of which defaults may be missing.
    """

    def __init__(self, folder: CacheFolder, texts: Texts, options: Options) -> None:
        bound = _SIGNATURE.bind(texts, **options)
        bound.apply_defaults()
        self._folder = folder
        self._notes = Notes(folder.texts)
        self._texts = texts
        self._given = options
        self._valid: Texts | None = bound.arguments["valid_texts"]
        # All others decide the ids: so an option that is added to `draft` cannot be forgotten here.
        self._options = {name: value for name, value in bound.arguments.items() if name not in ("texts", "valid_texts")}

    def corpus(self) -> Corpus:
        """The corpus.

        Raises:
            InputError: as ``text.corpus.draft``, and so are the others.
        """
        digests = self._known_digests()
        return (digests and self._find(digests)) or self._make()

    def _known_digests(self) -> Digests | None:
        # What cannot be read here cannot be read below either, where the message is made.
        with suppress(InputError):
            digests = self._notes.digests(self._texts.sources)
            valid = None if self._valid is None else self._notes.digests(self._valid.sources)
            if digests is not None and (self._valid is None or valid is not None):
                return digests, valid
        return None

    def _find(self, digests: Digests) -> Corpus | None:
        key = known_entry_key(digests, self._options)
        if key is not None:
            return self._load(key)
        for recipe in recipe_keys(digests, self._options):
            key = self._folder.recall(recipe)
            if key is not None:
                return self._load(key)
        return None

    def _load(self, key: str, *, check: bool = True) -> Corpus | None:
        """The corpus of an entry; None if there is none, or none that is sound."""
        given = None if self._options["extend"] else self._options["tokenizer"]
        detected = self._options["independent_lines"] is None
        return self._folder.taken(
            self._folder.entry(key),
            lambda path: read_entry(path, key, self._texts.name, given, detected=detected, check=check),
        )

    def _make(self) -> Corpus:
        read = [each for each in (self._texts, self._valid) if each is not None]
        stamps = [stamps_of(each.sources) for each in read]
        made = draft(self._texts, **self._given)
        with suppress(OSError):
            self._folder.make()
        digests = (made.digests, made.valid_digests)
        for texts, before, found in zip(read, stamps, digests, strict=False):  # there may be no validation texts
            self._notes.write(texts.sources, before, found or ())
        lines = made.plan.independent_lines
        key = entry_key(digests, self._options, made.tokenizer, independent_lines=lines)
        # It may be there all the same: another vocabulary may have come out the same, or another process was quicker.
        corpus = self._load(key) or self._store(key, made)
        if corpus is None:
            return made.encode()
        self._folder.remember(recipe_keys(digests, self._options)[lines], key)
        return corpus

    def _store(self, key: str, made: Draft) -> Corpus | None:
        """Write an entry and read it; None if it cannot be written."""
        if entry_bytes(made) > self._folder.most_bytes:
            return None
        try:
            write_entry(self._folder.entry(key), key, made)
        except OSError:
            # Where a file in use cannot be replaced, the one that another process wrote just now will do.
            return self._load(key)
        self._folder.tidy()
        return self._load(key, check=False)
