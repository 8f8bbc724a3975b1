"""What samples of a model copy from the text that it was trained on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import SearchError
from charlm.nn.arrays import Ids
from charlm.novelty.kept import index_of
from charlm.samples import Sample
from charlm.text.parts import Part

TRIES = 20
"""Samples that may be drawn for each that is wanted, where nobody said."""


@dataclass(frozen=True)
class Copied:
    """The longest stretch of a sample that stands verbatim in the training text.

    Attributes:
        text: the stretch, without white space around it.
        tokens: its length.
        place: how many tokens of the training text stand before it there; one of the places if there are several.
        line: in which line of the training text it begins, from 1; None where there are no lines.
    """

    text: str
    tokens: int
    place: int
    line: int | None

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm sample --jsonl`` has under ``copied``."""
        return asdict(self)


class TrainingText:
    """A text that samples are compared with, token by token as the model reads it.

    Args:
        model: whose tokens.
        part: the encoded text.
        building: called before its index is built.

    Raises:
        OutputError: there is no space for the index.
    """

    def __init__(self, model: TrainedModel, part: Part, building: Callable[[], None] = lambda: None) -> None:
        self._model = model
        self._index = index_of(part.ids, building)

    def copied(self, ids: Ids, beyond: int = 0) -> Copied | None:
        """The longest stretch of a sample; None if none is longer than ``beyond``.

        Args:
            ids: of what was drawn, int [n]; an <EOS> that ends it does not count, and <UNK> stands for nothing.
            beyond: in tokens.
        """
        tokenizer = self._model.tokenizer
        drawn = np.asarray(ids, np.int64)
        drawn = drawn[:-1] if drawn.size and drawn[-1] == tokenizer.eos_id else drawn
        unknown = tokenizer.unknown_id
        found = self._index.longest(drawn if unknown is None else np.where(drawn == unknown, -1, drawn), beyond)
        if not found.length:
            return None
        stretch = drawn[found.begin : found.begin + found.length]
        line_end = tokenizer.line_end_id
        return Copied(
            text=tokenizer.decode(stretch).strip(),
            tokens=found.length,
            place=found.place,
            line=None if line_end is None else self._index.count(line_end, found.place) + 1,
        )


def novel_samples(
    samples: Iterable[Sample], training: TrainingText, most: int, number: int, prompts: int = 1
) -> Iterator[Sample]:
    """Those samples that copy no more than so many tokens in a row, as many as are wanted for each prompt.

    Args:
        samples: of all prompts, as many as may be drawn.
        training: what they are compared with.
        most: tokens in a row that may stand there; more may not.
        number: how many are wanted for each prompt.
        prompts: how many prompts there are.

    Yields:
        Samples in their order, until there are enough.

    Raises:
        SearchError: the samples have come to an end before.
    """
    kept: Counter[int] = Counter()
    drawn = 0
    for sample in samples:
        drawn += 1
        if kept[id(sample.prompt)] < number and training.copied(sample.drawn.ids, beyond=most) is None:
            kept[id(sample.prompt)] += 1
            yield sample.settled()
            if kept.total() == number * prompts:
                return
    raise SearchError(
        f"of {drawn:,} samples that were drawn, only {kept.total():,} of the {number * prompts:,} wanted copy no more "
        f"than {most} tokens in a row: raise --max-copy, --tries or --temperature"
    )
