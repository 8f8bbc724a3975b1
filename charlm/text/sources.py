"""What a corpus is read from: one source of text or several, read one after another."""

from dataclasses import dataclass
from pathlib import Path

from charlm.text.reading import Source, file_source


@dataclass(frozen=True)
class Texts:
    """Texts that make one corpus together, in this order.

    Attributes:
        name: What messages call all of them.
        sources: Each of them; an <EOS> closes every one.
    """

    name: str
    sources: tuple[Source, ...]


def one_file(path: Path) -> Texts:
    """The texts that a single file holds; whether it can be read shows when it is opened."""
    return Texts(str(path), (file_source(path),))
