"""How gradients fade: the norms are those of the derivatives, found without any backward pass."""

from __future__ import annotations

import numpy as np
import pytest

from charlm.config import ModelConfig
from charlm.errors import InputError, UsageError
from charlm.gradients import Decay, measure
from charlm.nn.language_model import LanguageModel
from charlm.nn.registry import every_kind

VOCABULARY, HIDDEN = 6, 3
KINDS = list(every_kind())


def model_of(cell: str, options: dict[str, str], *, layers: int = 2, initial: str = "zero") -> LanguageModel:
    """A small model with random parameters, in float32 as models are."""
    config = ModelConfig(VOCABULARY, cell, options, layers=layers, hidden=HIDDEN, embedding=2, initial=initial)
    model = LanguageModel(config)
    model.initialize(3)
    model.parameters.values += 0.3 * np.random.default_rng(2).standard_normal(len(model.parameters)).astype(np.float32)
    return model


def derivative_norms(model: LanguageModel, ids: np.ndarray, begin: int, position: int, lag: int) -> list[float]:
    """The norm by each part of each layer's state of the loss at ``position``, for the state ``lag`` steps before."""
    exact = LanguageModel(model.config, np.float64)
    exact.parameters.values[...] = model.parameters.values
    fed = np.concatenate(([-1], ids[begin:position]))[:, None]  # the token that each step from begin on reads
    work, cut = exact.new_workspace(len(fed), 1), len(fed) - lag
    quiet = np.zeros((len(fed), 1), bool)
    states = exact.advance(work, fed[:cut], quiet[:cut], exact.initial_states(1))
    targets = np.full((lag, 1), -1)
    targets[-1] = ids[position]

    def loss() -> float:
        return -float(exact.log_probabilities(work, fed[cut:], targets, quiet[cut:], states)[0].sum())

    norms = []
    for part in (part for state in states for part in state):
        slopes = np.zeros(part.shape)
        for index in np.ndindex(part.shape):
            value = part[index]
            part[index] = value + 1e-6
            above = loss()
            part[index] = value - 1e-6
            slopes[index] = (above - loss()) / 2e-6
            part[index] = value
        norms.append(float(np.linalg.norm(slopes)))
    return norms


@pytest.mark.parametrize(("cell", "options"), KINDS)
def test_norms_are_those_of_the_derivatives(cell: str, options: dict[str, str]) -> None:
    """Of a text read from its start: mean and deviation over positions, by lag, layer and part."""
    model = model_of(cell, options, initial="learned")
    ids = np.random.default_rng(5).integers(1, VOCABULARY, 9)
    found = measure(model, ids, line_end=None, lags=4, positions=100)
    assert (found.lags, found.positions) == (4, 5)
    for lag in range(1, 5):
        expected = np.array([derivative_norms(model, ids, 0, position, lag) for position in range(4, len(ids))])
        got = [(each.norms[lag - 1], each.deviations[lag - 1]) for each in found.decays]
        np.testing.assert_allclose([mean for mean, _ in got], expected.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose([spread for _, spread in got], expected.std(axis=0), rtol=1e-3, atol=1e-9)
    blocks = model.stack.blocks
    assert [(each.layer, each.part) for each in found.decays] == [
        (k + 1, part) for k, block in enumerate(blocks) for part in block.state_names
    ]


def test_nothing_reaches_back_beyond_its_line() -> None:
    """Lines that are independent: only positions with so many steps before them in their line are measured at."""
    model = model_of("lstm", {})
    ids = np.array([1, 2, 3, 0, 4, 5, 0, 2, 0])
    found = measure(model, ids, line_end=0, lags=2, positions=100)
    assert (found.lags, found.positions) == (2, 3)
    places = [(0, 2), (0, 3), (4, 6)]
    for lag in (1, 2):
        all_norms = [derivative_norms(model, ids, begin, position, lag) for begin, position in places]
        got = [each.norms[lag - 1] for each in found.decays]
        np.testing.assert_allclose(got, np.mean(all_norms, axis=0), rtol=1e-5)


def test_one_rule_says_how_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as so many positions can go, or a quarter of all; then all lags are means over the same positions."""
    model = model_of("rnn", {"activation": "tanh"})
    ids = np.random.default_rng(1).integers(1, VOCABULARY, 101)  # 100 positions with 1 to 100 steps before them
    for lags, positions, expected in [(5, 10, (5, 10)), (999, 10, (91, 10)), (999, 999, (76, 25)), (50, 999, (50, 51))]:
        found = measure(model, ids, line_end=None, lags=lags, positions=positions)
        assert (found.lags, found.positions) == expected
    whole = measure(model, ids, line_end=None, lags=30, positions=999)
    monkeypatch.setattr("charlm.gradients.MOST_STEPS", 100)  # three lanes at a time
    few = measure(model, ids, line_end=None, lags=30, positions=999)
    np.testing.assert_allclose(few.decays[0].norms, whole.decays[0].norms, rtol=1e-12)


def test_mid_text_is_warmed_up() -> None:
    """Far into a stream the state is that of the text before, not of a start."""
    model = model_of("gru", {"reset": "before"}, layers=1)
    ids = np.random.default_rng(1).integers(1, VOCABULARY, 400)
    found = measure(model, ids, line_end=None, lags=2, positions=10_000)
    assert found.positions == 398
    truth = np.mean([derivative_norms(model, ids, 0, position, 1) for position in range(2, 400)])
    assert found.decays[0].norms[0] == pytest.approx(truth, rel=1e-4)


def test_the_draw_of_positions_is_seeded() -> None:
    model = model_of("rnn", {"activation": "tanh"})
    ids = np.random.default_rng(1).integers(1, VOCABULARY, 300)

    def norms(seed: int) -> np.ndarray:
        return measure(model, ids, line_end=None, lags=5, positions=20, seed=seed).decays[0].norms

    np.testing.assert_array_equal(norms(1), norms(1))
    assert np.any(norms(1) != norms(2))
    assert measure(model, ids, line_end=None, lags=5, positions=20).positions == 20


def test_measuring_changes_no_model() -> None:
    model = model_of("lstm", {})
    before = model.parameters.values.copy()
    measure(model, np.arange(1, 6), line_end=None, lags=3, positions=4)
    np.testing.assert_array_equal(model.parameters.values, before)


def test_a_shut_forget_gate_lets_no_gradient_through_and_an_open_one_all() -> None:
    """The cell's gradient is its forget gates' product: the LSTM's answer to vanishing gradients."""
    for bias, share in ((-3.0, 0.0), (50.0, 1.0)):
        model = model_of("lstm", {}, layers=1)
        for name, view in model.parameters.views.items():
            if name.endswith(("W_fa", "W_ua", "W_oa", "W_ca")):
                view[...] = 0
        model.parameters.views["layers.0.b_f"][...] = bias
        model.parameters.views["layers.0.b_u"][...] = -50  # nothing new
        ids = np.random.default_rng(1).integers(1, VOCABULARY, 60)
        decay = measure(model, ids, line_end=None, lags=30, positions=20).decays[1]
        assert decay.part == "cell"
        assert decay.norms[-1] == pytest.approx(share * decay.norms[0], rel=0.5, abs=1e-12)
        assert (decay.lag_below(0.01) is None) == bool(share)


def test_where_a_gradient_has_faded() -> None:
    decay = Decay(1, "hidden", np.array([1.0, 0.5, 0.02, 0.3, 0.001]), np.zeros(5))
    assert decay.lag_below(0.1) == 3
    assert decay.lag_below(0.01) == 5
    assert decay.lag_below(1e-4) is None
    assert decay.name == "layer 1 hidden"


def test_what_cannot_be_measured() -> None:
    model = model_of("lstm", {})
    with pytest.raises(InputError, match="too short"):
        measure(model, np.array([1]), line_end=None, lags=3, positions=4)
    with pytest.raises(UsageError, match="--lags"):
        measure(model, np.arange(5), line_end=None, lags=0, positions=4)
    with pytest.raises(UsageError, match="--positions"):
        measure(model, np.arange(5), line_end=None, lags=1, positions=0)
