"""Dynamic evaluation (Krause, Kahembwe, Murray & Renals 2018, "Dynamic evaluation of neural sequence models").

A model goes on learning from the text that it reads. Behind every segment, g being the gradient of the segment's mean
loss by backpropagation through it, whose first state is carried from the segment before:

    sgd:  p <- p - lr g                    + decay (p_0 - p)
    rms:  p <- p - lr g / (rms + epsilon)  + min(decay rms / mean(rms), 1) (p_0 - p)

p_0 are the trained parameters, and rms the roots of the mean squares of each parameter's gradients on training text
(``gradients.py``). The bound of 1 keeps a step back from going too far, and the mean is that over all parameters.

Each token is predicted before anything is learnt from it, by the parameters behind the last whole segment. So that
this can be done again, token by token, the segment is read once more for its gradient.
"""

import numpy as np

from charlm.errors import ModelError, UsageError
from charlm.nn.arrays import Array
from charlm.nn.heads.cross_entropy import Real
from charlm.nn.language_model import LanguageModel
from charlm.prediction.config import Dynamic
from charlm.prediction.network import NetworkPredictor


class Step:
    """One step of the parameters.

    Args:
        config: how.
        mean_squares: [parameters], for "rms".

    Raises:
        UsageError: "rms" without mean squares, or those of another model.
    """

    def __init__(self, config: Dynamic, trained: Array, mean_squares: Array | None) -> None:
        self._trained = trained
        self._way = np.empty_like(trained)
        self._rate: float | Array = config.lr
        self._decay: float | Array = config.decay
        if config.method == "rms":
            if mean_squares is None or mean_squares.shape != trained.shape:
                raise UsageError("dynamic evaluation by rms needs the mean squares of this model's own gradients")
            rms = np.sqrt(mean_squares.astype(np.float64))
            mean = float(rms.mean()) or 1.0
            self._rate = (config.lr / (rms + config.epsilon)).astype(trained.dtype)
            self._decay = np.minimum(config.decay * rms / mean, 1).astype(trained.dtype)

    def take(self, values: Array, gradient: Array) -> None:
        """Change the parameters; ``gradient`` is overwritten."""
        np.subtract(self._trained, values, out=self._way)
        self._way *= self._decay
        gradient *= self._rate
        self._way -= gradient
        values += self._way


class DynamicPredictor:
    """A language model that learns from each segment that it has read.

    Args:
        model: stays as it is; a model of texts with labels must be under one.
        config: how it learns.
        mean_squares: [parameters], of its gradients; for "rms".

    Raises:
        UsageError: "rms" without mean squares, or those of another model.
    """

    def __init__(self, model: LanguageModel, config: Dynamic, mean_squares: Array | None = None) -> None:
        self._trained = model.parameters.values
        self._model = copied(model)
        self._step = Step(config, self._trained, mean_squares)
        self._network = NetworkPredictor(self._model)
        self._work = self._model.new_workspace(config.segment, 1)
        # What has been read since the last step: for each prediction its input, what came, whether a text began.
        self._inputs = np.full((config.segment, 1), -1)
        self._targets = np.full((config.segment, 1), -1)
        self._starts = np.zeros((config.segment, 1), np.bool_)
        self._read = 0
        self._before = model.initial_states(1)
        self._last = -1
        self._learnt = False

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self._network.vocabulary

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``; a segment may hold the end of one text and the beginning of another."""
        if forget:
            self._read = 0
            self._restore()
        self._last = -1
        self._network.start()

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``.

        Raises:
            ModelError: they are not finite.
        """
        try:
            with unheard():
                return self._network.log_probabilities()
        except ModelError as error:
            if not self._learnt:
                raise
            raise ModelError(
                "dynamic evaluation has run away: its learning rate is too large for this model"
            ) from error

    def hidden(self) -> Array:
        """As ``HiddenPredictor.hidden``."""
        with unheard():
            return self._network.hidden()

    def read(self, token: int) -> None:
        """As ``Predictor.read``; behind a segment the model learns."""
        place = self._read
        self._inputs[place], self._targets[place], self._starts[place] = self._last, token, self._last < 0
        self._read, self._last = place + 1, token
        with unheard():
            self._network.read(token)
        if self._read == len(self._inputs):
            self._learn()

    def _learn(self) -> None:
        model, parameters = self._model, self._model.parameters
        with unheard():
            _, self._before, _ = model.loss_and_gradients(
                self._work, self._inputs, self._targets, self._starts, self._before
            )
            self._step.take(parameters.values, parameters.gradient_values)
            model.pack(self._work)
            self._network.renew(self._before)
        self._read, self._learnt = 0, True

    def _restore(self) -> None:
        """Put the trained parameters back."""
        if self._learnt:
            self._model.parameters.values[...] = self._trained
            self._model.pack(self._work)
            self._network.renew(self._before)
            self._learnt = False


def unheard() -> np.errstate:
    """No warnings of a model that runs away, which is noticed by what it predicts."""
    return np.errstate(over="ignore", invalid="ignore")


def copied(model: LanguageModel) -> LanguageModel:
    """A model with parameters of its own, of the same values."""
    found = LanguageModel(model.config, model.parameters.dtype)
    found.parameters.values[...] = model.parameters.values
    found.label = model.label
    return found
