"""Predictors of other vocabularies, as predictors of a network's.

Tokens are those of one spelling. A token that the other does not have would need a share of its <UNK>, which nothing
says: that is refused. Tokens that only the other has are all <UNK> here, whose probability is then exactly their sum.
"""

import numpy as np
from numpy.typing import NDArray

from charlm.config import TextConfig
from charlm.errors import UsageError
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.mixture import log_sum
from charlm.prediction.predictor import Predictor
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import SPECIAL_TOKENS, UNK, Vocabulary

_SHOWN = 3
_ALIKE = {"level": "--level", "unit": "--unit", "lowercase": "--lowercase", "independent_lines": "--independent-lines"}
"""What must be the same of two texts, so that the same text is the same tokens, and begins in the same places."""


class SpeltAlike:
    """A predictor of another vocabulary.

    Args:
        other: the predictor.
        theirs: int64 [V], its id of each token.
        strange: int64 [n], its ids of tokens that are <UNK> here.
    """

    def __init__(self, other: Predictor, theirs: NDArray[np.int64], strange: NDArray[np.int64]) -> None:
        self._other = other
        self._theirs = theirs
        self._unknown = np.append(strange, theirs[UNK]) if strange.size else None

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return len(self._theirs)

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``."""
        self._other.start(forget=forget)

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``."""
        found = self._other.log_probabilities()
        mine: Real = found[self._theirs]
        if self._unknown is not None:
            mine[UNK] = log_sum(found[self._unknown, None])[0]
        return mine

    def read(self, token: int) -> None:
        """As ``Predictor.read``."""
        self._other.read(int(self._theirs[token]))


def spelt_as(ours: Tokenizer, other: Predictor, theirs: Tokenizer, name: str) -> Predictor:
    """A predictor in the tokens of a network; itself where they are the same.

    Args:
        ours: the network's.
        other: the predictor.
        theirs: its tokenizer.
        name: what to call it in messages.

    Raises:
        UsageError: it lacks tokens that the network has.
    """
    if _same(ours.vocabulary, theirs.vocabulary):
        return other
    if ours.vocabulary.raw or theirs.vocabulary.raw:
        raise UsageError(f"{name} has other tokens than the model: one of them reads bytes. Train it at the same level")
    known, special = theirs.vocabulary.lookup(), len(SPECIAL_TOKENS)
    tokens = ours.vocabulary.ordinary_tokens()
    missing = [token for token in tokens if token not in known]
    if missing:
        shown = ", ".join(map(repr, missing[:_SHOWN]))
        raise UsageError(
            f"{name} does not know {len(missing)} of the model's {len(ours)} tokens, such as {shown}, so that it gives "
            "them no probability: train it on the same text with the same --min-count and --max-vocab"
        )
    ids = np.array([*range(special), *(known[token] for token in tokens)])
    return SpeltAlike(other, ids, np.setdiff1d(np.arange(len(theirs)), ids))


def check_alike(ours: TextConfig, theirs: TextConfig, name: str) -> None:
    """Check that another model cuts texts as a network does.

    Raises:
        UsageError: it does not; the message says what differs.
    """
    different = [field for field in _ALIKE if getattr(ours, field) != getattr(theirs, field)]
    if different:
        said = ", ".join(f"{_ALIKE[each]} ({getattr(theirs, each)}, not {getattr(ours, each)})" for each in different)
        raise UsageError(
            f"{name} reads texts otherwise than the model does: its {said}. Train it with the same options"
        )


def _same(one: Vocabulary, other: Vocabulary) -> bool:
    return np.array_equal(one.data, other.data) and np.array_equal(one.offsets, other.offsets)
