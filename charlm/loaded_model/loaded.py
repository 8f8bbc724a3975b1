"""A trained model by itself: what it is, its tokens, and its file."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel, model_bytes
from charlm.files import write_atomically
from charlm.scoring import log_softmax
from charlm.text.level import check_range
from charlm.text.reading import normalise


class Loaded:
    """What all parts of ``charlm.Model`` have.

    Args:
        trained: network, tokenizer and record.
        path: where it was read, and where what was tuned is kept beside it; None for nowhere.

    Attributes:
        trained: network, tokenizer and record, for those who want to look inside.
        path: likewise.
    """

    def __init__(self, trained: TrainedModel, path: Path | None = None) -> None:
        self.trained = trained
        self.path = path

    def __repr__(self) -> str:
        config = self.trained.network.config
        return (
            f"<charlm.Model {config.cell} {config.layers} x {config.hidden}, "
            f"{config.vocabulary} tokens at {self.trained.text.level} level>"
        )

    @property
    def level(self) -> str:
        """What a token is: char, word, token or byte."""
        return self.trained.text.level

    @property
    def labels(self) -> list[str]:
        """The labels of its texts by id, the most frequent first; none for a model of texts without."""
        return list(self.trained.label_names or ())

    @property
    def vocabulary(self) -> list[str]:
        """The tokens by id; at the word level the mark \uffed stands before those that have no space before them."""
        vocabulary = self.trained.tokenizer.vocabulary
        return [vocabulary.token(i) for i in range(len(vocabulary))]

    def encode(self, text: str | bytes) -> NDArray[np.int64]:
        """Ids of a text, int64 [time]; no <EOS> is added."""
        return self.trained.tokenizer.encode(text if isinstance(text, bytes) else normalise(text))

    def decode(self, ids: Sequence[int] | NDArray[np.integer[Any]]) -> str:
        """The text of ids [time].

        Raises:
            IndexError: an id is outside the vocabulary.
        """
        return self.trained.tokenizer.decode(np.asarray(ids, np.int64))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one file, as ``charlm train`` does.

        Raises:
            OutputError: it cannot be written, or a weight is not finite.
        """
        write_atomically(Path(path), model_bytes(self.trained))

    def log_probabilities(
        self,
        ids: Sequence[Sequence[int] | NDArray[np.integer[Any]]] | NDArray[np.integer[Any]],
        *,
        label: str | None = None,
    ) -> NDArray[np.float64]:
        """The distribution over every next token.

        Args:
            ids: [batch, time], each row a text from a start.
            label: under which they are read, for a model of texts with labels.

        Returns:
            float64 [batch, time + 1, vocabulary], nats: at time t, log P(token | the first t tokens).

        Raises:
            UsageError: the label does not fit the model.
            ValueError: ``ids`` are not [batch, time].
            IndexError: an id is outside the vocabulary.
        """
        given = np.asarray(ids, np.int64)
        if given.ndim != 2:  # noqa: PLR2004 - batch and time
            raise ValueError(f"ids have the shape {list(given.shape)}: they must be [batch, time]")
        network = self.trained.under(label).network
        checked = check_range(given, len(self.trained.tokenizer))
        inputs = np.concatenate((np.full((len(given), 1), -1), checked), axis=1).T
        work = network.new_workspace(len(inputs), len(given))
        still = np.zeros(inputs.shape, np.bool_)
        logits, _ = network.logits(work, inputs, still, network.initial_states(len(given)))
        return log_softmax(logits.astype(np.float64)).transpose(2, 1, 0)
