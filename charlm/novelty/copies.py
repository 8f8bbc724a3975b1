"""What samples of a model copy from the text that it was trained on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.novelty.kept import index_of
from charlm.text.parts import Part
from charlm.text.store import Ids


@dataclass(frozen=True)
class Copied:
    """The longest stretch of a sample that stands verbatim in the training text.

    Attributes:
        text: the stretch, without white space around it.
        tokens: its length; 0 where no token stands there.
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

    def copied(self, ids: Ids | NDArray[np.int64], beyond: int = 0) -> Copied | None:
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
        if found.length <= beyond and beyond:
            return None
        stretch = drawn[found.begin : found.begin + found.length]
        line_end = tokenizer.line_end_id
        return Copied(
            text=tokenizer.decode(stretch).strip(),
            tokens=found.length,
            place=found.place,
            line=None if line_end is None else self._index.count(line_end, found.place) + 1,
        )
