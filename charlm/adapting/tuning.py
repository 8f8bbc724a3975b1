"""What adapts a model best, found on a text: numbers of dynamic evaluation and of the cache, weights of a mixture.

1. Dynamic evaluation is tried with one number after another made larger and smaller, as long as that helps.
2. Every size and theta of the cache is tried on what the network, adapting so, reads into its head. Its share is the
   weight of a mixture, and so the best one, by expectation maximisation.
3. The weights of n-grams and other models follow from what each says of each token, likewise, and the share of the
   cache once more with them.

Numbers that are given stay, but that the size of the cache is the largest of those that are tried.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from charlm.adapting.applying import opened
from charlm.adapting.kept import Result, Tuned
from charlm.adapting.mixing import fitted_mixture
from charlm.adapting.options import adaptation_of, check
from charlm.adapting.remembering import best_cache, recorded
from charlm.adapting.searching import STEPS, Search
from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.errors import InputError, UsageError
from charlm.nn.arrays import Array
from charlm.prediction.build import others
from charlm.prediction.config import Adaptation, Dynamic
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.network import HiddenPredictor, NetworkPredictor
from charlm.prediction.predictor import Predictor
from charlm.prediction.walking import component_log_probabilities
from charlm.text.parts import Part

TOKENS = 20_000
"""Of a text that numbers are chosen on, unless somebody says so."""
SECONDS = 300.0
"""After which no further numbers of dynamic evaluation are tried, likewise."""


@dataclass(frozen=True)
class Budget:
    """How much is tried.

    Attributes:
        tokens: of the text, at most.
        seconds: after which no further numbers of dynamic evaluation are tried.
    """

    tokens: int = TOKENS
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        require("--tokens", self.tokens, minimum=100)
        require("--time", self.seconds, above=0)


@dataclass(frozen=True)
class Material:
    """What a model is tuned on.

    Attributes:
        name: what the text is called.
        text: the text that is to cost little.
        training: what the model was trained on, whose gradients scale the steps of "rms"; None for that text.
    """

    name: str
    text: Part
    training: Part | None = None


def check_tuning(options: Mapping[str, Any]) -> None:
    """Check by themselves what is to be tuned and which numbers are to stay.

    Raises:
        UsageError: nothing is to be tuned, or an option is wrong.
    """
    check(options)
    if adaptation_of(options).idle:
        raise UsageError("nothing to tune: name --dynamic, --cache, --mix or --ngrams, or several of them")


def tune(
    model: TrainedModel,
    options: Mapping[str, Any],
    material: Callable[[], Material],
    budget: Budget | None = None,
    report: Callable[[str, float], None] = lambda _what, _nats: None,
) -> Tuned:
    """Choose what adapts a model best.

    Args:
        model: of texts without labels.
        options: the mechanisms to tune, and numbers that are to stay; those of ``AdaptOptions``.
        material: gives what to choose on, once all else has been checked.
        budget: how much to try.
        report: is told of everything that was tried, in words, and what a token costs with it.

    Raises:
        UsageError: nothing is to be tuned, an option is wrong, the model has labels, or another one does not fit.
        ModelError: another model cannot be read.
        InputError: the text is empty.
    """
    check_tuning(options)
    if model.labels is not None:
        raise UsageError("only models of texts without labels can be tuned, and this one has labels")
    how = adaptation_of(options)
    parts = others(model, opened(how))
    return _Tuning(model, options, material(), budget or Budget(), report).run(how, parts)


class _Tuning:
    """Goes through the mechanisms in the order in which they act."""

    def __init__(
        self,
        model: TrainedModel,
        options: Mapping[str, Any],
        material: Material,
        budget: Budget,
        report: Callable[[str, float], None],
    ) -> None:
        self._until = time.perf_counter() + budget.seconds
        self._model, self._options, self._material = model, options, material
        self._ids = material.text.ids[: budget.tokens]
        self._report = report
        self._results: list[Result] = []
        if not len(self._ids):
            raise InputError(f"{material.name} is empty: there is nothing to tune on")

    def run(self, how: Adaptation, parts: Sequence[Predictor]) -> Tuned:
        """Tune what is asked for, in whichever numbers it has, with these parts beside the network."""
        network: HiddenPredictor = NetworkPredictor(self._model.network)
        squares = None
        seen = recorded(network, self._ids, self._model.line_end, keep=how.cache is not None)
        self._tell("as trained", -float(seen.log_probabilities.mean()))
        if how.dynamic is not None:
            how, squares = self._with_dynamic(how, how.dynamic)
            assert how.dynamic is not None  # noqa: S101 - its numbers alone have changed
            network = DynamicPredictor(self._model.network, how.dynamic, squares)
            seen = recorded(network, self._ids, self._model.line_end, keep=how.cache is not None)
        fit = None
        if how.cache is not None:
            free = {name: f"cache_{name}" not in self._options for name in ("theta", "share")}
            fit = best_cache(seen, self._ids, how.cache, **free)
            how = replace(how, cache=fit.config)
            self._tell("with the cache", fit.nats)
        if parts:
            columns = component_log_probabilities(parts, self._ids, self._model.line_end)
            remembered = None if fit is None else fit.log_probabilities
            how, nats = fitted_mixture(how, seen.log_probabilities, remembered, columns, self._options)
            self._tell("with what is mixed in", nats)
        tokens = len(self._ids)
        return Tuned(how, self._material.name, tokens, tuple(self._results), squares)

    def _tell(self, what: str, nats: float) -> None:
        self._results.append(Result(what, nats))
        self._report(what, nats)

    def _with_dynamic(self, how: Adaptation, begin: Dynamic) -> tuple[Adaptation, Array | None]:
        training = self._material.training or self._material.text
        search = Search(self._model, self._ids, training.ids, self._report)
        free = [name for name in STEPS if f"dynamic_{name}" not in self._options]
        found = search.best(begin, free, in_time=lambda: time.perf_counter() < self._until)
        self._tell("with dynamic evaluation", found.nats)
        return replace(how, dynamic=found.config), found.mean_squares
