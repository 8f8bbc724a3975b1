"""What a predictor is: a distribution of the next token, and what it makes of the token that came."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Predictor(Protocol):
    """Reads one text at a time, token by token.

    Two predictors that were made alike and have read the same tokens give the same bits: what one codes the other
    decodes. So whatever a predictor adapts must depend on nothing but the tokens it has read.
    """

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""

    def start(self, *, forget: bool = True) -> None:
        """A text begins, from the initial state.

        Args:
            forget: also what was adapted to earlier texts, so that all is as at first; not so where texts follow one
                another in a file.
        """

    def log_probabilities(self) -> NDArray[np.float64]:
        """Of every token to be the next, [vocabulary], nats; their exponentials sum to one. Not to be written to."""

    def read(self, token: int) -> None:
        """Take the token that came, and adapt to it."""
