"""A language model as a predictor: one lane, one step at a time, as one stream of samples."""

from typing import Protocol

import numpy as np

from charlm.errors import NOT_FINITE, ModelError
from charlm.nn.arrays import Array, States
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.language_model import LanguageModel
from charlm.prediction.predictor import Predictor
from charlm.scoring import log_softmax


class HiddenPredictor(Predictor, Protocol):
    """A predictor that has a network, for those who look at what its head reads."""

    def hidden(self) -> Array:
        """The head's input [H] from which the next token is predicted; overwritten with the next step."""


class NetworkPredictor:
    """The probabilities of a language model, which does not change by reading.

    Args:
        model: a model of texts with labels must be under one.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._work = model.new_workspace(1, 1, keep=False)
        self._input = np.full((1, 1), -1)
        self._states = self._after = model.initial_states(1)
        self._stepped = False
        self._distribution: Real | None = None

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self._model.config.vocabulary

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``; there is nothing to forget."""
        del forget
        self._place(-1, self._model.initial_states(1))

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``.

        Raises:
            ModelError: they are not finite.
        """
        if self._distribution is None:
            logits, self._after = self._model.logits(self._work, self._input, None, self._states)
            self._stepped = True
            self._distribution = log_softmax(logits[:, 0, 0].astype(np.float64))
            # One that is not a number makes all of them so.
            if np.isnan(self._distribution[0]):
                raise ModelError(NOT_FINITE)
        return self._distribution

    def hidden(self) -> Array:
        """As ``HiddenPredictor.hidden``."""
        self._step()
        return self._work.tape.activations[0, :, 0]

    def read(self, token: int) -> None:
        """As ``Predictor.read``."""
        self._step()
        self._place(token, self._after)

    def renew(self, states: States) -> None:
        """The model's parameters have changed, and these are the states now; nothing but the last token is kept."""
        self._model.pack(self._work)
        self._place(int(self._input[0, 0]), states)

    def _step(self) -> None:
        """Read the last token, if nobody has asked for what follows it."""
        if not self._stepped:
            self._after = self._model.advance(self._work, self._input, None, self._states)
            self._stepped = True

    def _place(self, token: int, states: States) -> None:
        """Stand before the step that reads a token, -1 for none."""
        self._input[0, 0] = token
        self._states = states
        self._stepped, self._distribution = False, None
