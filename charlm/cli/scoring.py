"""Texts on their way through ``charlm score``: read, scored some at a time, and followed by a bar."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from charlm.cli.following import Following
from charlm.cli.inputs import source_of

if TYPE_CHECKING:
    from charlm.scorer import Scorer
    from charlm.scores import LongScore, Score
    from charlm.text.long import Text

GROUP = 256
"""Texts that are scored together where they come through a pipe, and are waited for."""
FILE_GROUP = 4096
"""Lines of a file that are scored together: many enough that all lanes are busy nearly all the time."""
MOST_CHARACTERS = 1 << 20
"""Of all texts that are scored together; of long ones a `ON_DISK`-th part counts."""
ON_DISK = 64
"""As many long texts of that length are scored together as there are lanes."""


@dataclass(frozen=True)
class Wanted:
    """What is to be known of texts.

    Attributes:
        together: how many are scored together.
        per_token: whether what is known of each token is, too.
        of_long: whether it is of texts that are too long for memory.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.
    """

    together: int
    per_token: bool = False
    of_long: bool = False
    unk_vocabulary: int = 1


def texts_of(
    trained: "Scorer",
    file: Path | None,
    encoding: str | None,
    whole: bool,
    following: Following,
    *,
    escaped: bool = False,
) -> Iterator["Text"]:
    """The texts of a file or of standard input: its lines, or all of it; ``escaped`` as ``read_texts`` has it."""
    from charlm.text.inputs import read_texts  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    source = source_of(file)
    decoded = read_as(trained.tokenizer.level, encoding or trained.text.encoding)
    return read_texts(following.read(source), decoded, whole=whole, escaped=escaped)


def scored_by(
    trained: "Scorer", inputs: Iterator["Text"], wanted: Wanted, following: Following
) -> Iterator["Score | LongScore"]:
    """Scores of texts in their order, some computed together, in memory that grows with none of them."""
    from charlm.portions import portions  # noqa: PLC0415 - only here
    from charlm.scores import score_each  # noqa: PLC0415 - NumPy is loaded only when it is used

    for group in portions(inputs, _weight, wanted.together, MOST_CHARACTERS):
        following.begin(sum(map(_length_on_disk, group)))
        found = score_each(
            trained,
            group,
            per_token=wanted.per_token,
            of_long=wanted.of_long,
            unk_vocabulary=wanted.unk_vocabulary,
            passed=following.passed,
        )
        following.end(len(group))
        yield from found


def _weight(text: "Text") -> int:
    return len(text) if isinstance(text, str | bytes) else -(-text.length // ON_DISK)


def _length_on_disk(text: "Text") -> int:
    return 0 if isinstance(text, str | bytes) else text.length
