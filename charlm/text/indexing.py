"""Texts one after another to provisional ids."""

from functools import partial

from charlm.errors import InputError
from charlm.text.labelled import LabelReader
from charlm.text.level import Indexer
from charlm.text.sources import Texts
from charlm.text.store import GrowingStore, Ids


def index_texts(
    indexer: Indexer, texts: Texts, encoding: str, labels: LabelReader | None = None
) -> tuple[Ids, tuple[str, ...], Ids | None]:
    """Provisional ids of texts one after another, the digest of each, and the labels of their lines.

    Args:
        indexer: Gives the ids.
        texts: What to read.
        encoding: Of the texts.
        labels: Reads the labels off the lines; None where they have none.

    Raises:
        InputError: A text cannot be read or decoded, or there is none.
        OutputError: There is no space for temporary files.
    """
    with GrowingStore() as store, GrowingStore() as of_lines:
        digests = tuple(
            indexer.index(
                source,
                encoding,
                store,
                iter if labels is None else partial(labels.strip, name=source.name, store=of_lines),
            )
            for source in texts.progress.read(texts.sources)
        )
        if not len(store):
            raise InputError(f"{texts.name} is empty: name a file that holds some text")
        return store.finish(), digests, None if labels is None else of_lines.finish()
