"""Dynamic evaluation against its equations, with the naive reference's gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import reference
from nn_cases import KINDS, Case, make_case, make_model
from prediction_cases import RMS, SGD, read_all, shaped_model

from charlm.errors import ModelError, UsageError
from charlm.lanes import TextLabels
from charlm.prediction.config import Dynamic
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.gradients import mean_squares

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel

TEXTS = [[1, 2, 3, 4, 0], [2, 2, 1], [4, 3, 2, 1, 0, 1]]


def column(values: list[int] | list[bool]) -> np.ndarray:
    return np.array(values)[:, None]


class Naive:
    """Every prediction runs the segment from its beginning; every step is the equation, parameter by parameter."""

    def __init__(self, case: Case, config: Dynamic, squares: dict[str, np.ndarray] | None) -> None:
        self.network, self.config = case.network, config
        self.first = {name: value.copy() for name, value in case.parameters.items()}
        self.now = dict(self.first)
        hidden = case.parameters["head.W_y"].shape[1]
        self.state = reference.zero_state(case.network, hidden=hidden, batch=1)
        self.rms = None if squares is None else {name: np.sqrt(square) for name, square in squares.items()}
        self.segment: list[tuple[int, int, bool]] = []

    def window(self, more: tuple[int, int, bool] | None = None) -> Any:
        """The segment, and one more prediction, as the reference takes it."""
        rows = self.segment + ([more] if more else [])
        inputs, targets, starts = (column(list(each)) for each in zip(*rows, strict=True))
        return self.now, self.network, inputs, targets, starts.astype(bool), self.state

    def predict(self, before: int) -> Any:
        """Log-probabilities behind a token."""
        output = reference.run(*self.window((before, 0, before < 0))).outputs[-1, 0]
        logits = self.now["head.W_y"] @ output + self.now["head.b_y"]
        return logits - np.log(np.exp(logits).sum())

    def read(self, before: int, token: int) -> None:
        """Take a token, behind another, and learn behind a segment."""
        self.segment.append((before, token, before < 0))
        if len(self.segment) == self.config.segment:
            gradients = reference.gradients(*self.window()).parameters
            self.state = reference.run(*self.window()).state
            self.now = {name: self.stepped(name, value, gradients[name]) for name, value in self.now.items()}
            self.segment = []

    def stepped(self, name: str, value: np.ndarray, gradient: np.ndarray) -> Any:
        """A parameter after a step."""
        config, home = self.config, self.first[name] - value
        if self.rms is None:
            return value - config.lr * gradient + config.decay * home
        mean = np.concatenate([each.ravel() for each in self.rms.values()]).mean()
        decay = np.minimum(config.decay * self.rms[name] / mean, 1)
        return value - config.lr * gradient / (self.rms[name] + config.epsilon) + decay * home

    def read_all(self, texts: list[list[int]]) -> list[np.ndarray]:
        """As the cases' function of this name."""
        found = []
        for text in texts:
            before = -1
            for token in text:
                found.append(self.predict(before))
                self.read(before, token)
                before = token
            found.append(self.predict(before))
        return found


def squares_of(model: LanguageModel) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Mean squares as one array, and by the parameters' names."""
    drawn = np.random.default_rng(2).random(len(model.parameters)) ** 16  # some far beyond the mean
    model.parameters.gradient_values[...] = drawn
    return drawn, {name: view.copy() for name, view in model.parameters.gradients.items()}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(("config", "layers", "initial"), [(SGD, 2, "zero"), (RMS, 1, "learned")], ids=["sgd", "rms"])
def test_it_is_the_equation_with_the_references_gradients(
    kind: str, config: Dynamic, layers: int, initial: str
) -> None:
    """Text after text, each beginning in the middle of a segment."""
    case = make_case(kind, layers, initial=initial)
    model = make_model(case)
    flat, named = squares_of(model)
    by_rms = config.method == "rms"
    found = read_all(DynamicPredictor(model, config, flat if by_rms else None), TEXTS)
    expected = Naive(case, config, named if by_rms else None).read_all(TEXTS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)
    still = Naive(case, Dynamic("sgd", 0.0, 0.0, 3), None).read_all(TEXTS)
    assert np.abs(found[-1] - still[-1]).max() > 1e-4


@pytest.mark.parametrize("squares", [None, np.ones(3)])
def test_rms_needs_the_models_own_squares(squares: np.ndarray | None) -> None:
    with pytest.raises(UsageError, match="mean squares"):
        DynamicPredictor(shaped_model("lstm", "full"), RMS, squares)


def test_a_text_that_repeats_itself_costs_less() -> None:
    model = shaped_model("lstm", "full", dtype=np.float32)
    text = [1, 5, 2, 7, 3, 8] * 30
    costs = []
    for lr in (0.0, 0.3):
        logs = read_all(DynamicPredictor(model, Dynamic("sgd", lr, 0.0, 6)), [text])
        costs.append(-sum(float(each[token]) for each, token in zip(logs, text, strict=False)))
    assert costs[1] < 0.9 * costs[0]


@pytest.mark.parametrize("line_end", [None, 0])
def test_mean_squares_are_those_of_the_references_gradients(line_end: int | None) -> None:
    case = make_case("gru-before", 1, initial="learned")
    model = make_model(case)
    ids = np.array([1, 2, 0, 3, 4, 2, 0, 1, 1, 3])
    begins = {0, 3, 7} if line_end == 0 else {0}
    state, total, windows = list(model.initial_states(1)), None, 0
    for begin in range(0, len(ids), 4):
        places = range(begin, min(begin + 4, len(ids)))
        inputs = column([-1 if place in begins else int(ids[place - 1]) for place in places])
        starts = column([place in begins for place in places])
        window = case.parameters, case.network, inputs, ids[places.start : places.stop, None], starts, state
        gradients = reference.gradients(*window).parameters
        state = list(reference.run(*window).state)
        squares = {name: gradient**2 for name, gradient in gradients.items()}
        total = squares if total is None else {name: total[name] + square for name, square in squares.items()}
        windows += 1
    found = mean_squares(model, ids, 4, line_end=line_end)
    model.parameters.gradient_values[...] = found
    for name, gradient in model.parameters.gradients.items():
        assert total is not None
        np.testing.assert_allclose(gradient, total[name] / windows, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("line_end", [None, 0])
def test_mean_squares_of_a_long_text_are_those_of_a_part_of_it(line_end: int | None) -> None:
    """Which is spread over all of it."""
    model = shaped_model("lstm", "full")
    ids = np.random.default_rng(1).integers(0, 9, 4000)
    whole, part = (
        mean_squares(model, ids, 5, line_end=line_end),
        mean_squares(model, ids, 5, windows=80, line_end=line_end),
    )
    assert not np.array_equal(whole, part)
    np.testing.assert_allclose(np.sqrt(part).mean(), np.sqrt(whole).mean(), rtol=0.15)
    late = ids.copy()
    late[2000:] = 3  # what is read only if it is read to its end
    assert not np.allclose(mean_squares(model, late, 5, windows=80, line_end=line_end), part, rtol=1e-3)


def test_mean_squares_of_lines_with_labels() -> None:
    model = shaped_model("lstm", "labels")
    ids = np.array([1, 2, 0, 3, 4, 0, 5, 0])
    model.label = None
    one, other = (
        mean_squares(model, ids, 4, line_end=0, labels=TextLabels.of_lines(ids, 0, np.array(of)))
        for of in ([0, 0, 0], [0, 1, 0])
    )
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, mean_squares(model.under(0), ids, 4, line_end=0))


def test_mean_squares_that_are_none_are_refused() -> None:
    model = shaped_model("lstm", "full")
    model.parameters.views["head.b_y"][2] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        mean_squares(model, np.array([1, 2, 3]), 2)
