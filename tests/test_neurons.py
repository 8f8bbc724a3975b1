"""Units of a model: their values are those of the equations, and one that follows a property is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_cases import KINDS

from charlm import neurons
from charlm.config import ModelConfig
from charlm.correlations import RunningCorrelation, rank_correlations, ranks
from charlm.errors import InputError, ModelError, UsageError
from charlm.explain import run
from charlm.neurons import activations, find_units, read_unit
from charlm.nn.language_model import LanguageModel
from charlm.text.properties import PROPERTIES, by_regex, find_property, of_tokens

LINE_END = 0


def model_of(kind: str, **options: object) -> LanguageModel:
    """Two layers with random parameters."""
    cell, choices = KINDS[kind]
    shape = {"layers": 2, "hidden": 4, "embedding": 4, **options}
    model = LanguageModel(ModelConfig(6, cell, dict(choices), **shape))  # type: ignore[arg-type]  # as named there
    model.initialize(3)
    model.parameters.values += 0.3 * np.random.default_rng(2).standard_normal(len(model.parameters)).astype(np.float32)
    return model


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_equations(kind: str, residual: bool) -> None:
    """Of every block, layer and part, when each token has been read."""
    model = model_of(kind, residual=residual, initial="learned")
    ids = np.random.default_rng(1).integers(0, 6, 70)
    steps = list(run(model, [-1, *ids.tolist()]))[1:]
    for part, symbol in (("hidden", "a"), ("cell", "c")):
        if part == "cell" and "cell" not in model.stack.blocks[0].state_names:
            with pytest.raises(UsageError, match="no cell"):
                activations(model, ids, line_end=None, part=part)
            continue
        expected = np.array([[layer.values[symbol][:, 0] for layer in layers] for layers, _ in steps])
        found = activations(model, ids, line_end=None, part=part)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected.transpose(1, 0, 2), rtol=2e-4, atol=2e-5)


def test_every_line_is_read_from_a_start() -> None:
    model = model_of("gru-before")
    lines = [np.array([2, 3, LINE_END]), np.array([LINE_END]), np.array([4, 5, 3, LINE_END]), np.array([2, 5])]
    found = activations(model, np.concatenate(lines), line_end=LINE_END)
    place = 0
    for line in lines:
        read = line[line != LINE_END]
        alone = activations(model, read, line_end=None)
        np.testing.assert_allclose(found[:, place : place + len(read)], alone, atol=1e-6)
        assert not found[:, place + len(read) : place + len(line)].any()
        place += len(line)


def follower(token: int, sign: float) -> LanguageModel:
    """An RNN of three units; the second is all but 1 (or -1) when this token has been read, else nearly the reverse."""
    model = LanguageModel(ModelConfig(6, "rnn", {"activation": "tanh"}, layers=1, hidden=3, embedding=2))
    model.initialize(1)
    views = model.parameters.views
    views["embedding"][...] = [[-1, 0]] * 6
    views["embedding"][token, 0] = 1
    views["layers.0.W_aa"][1] = 0
    views["layers.0.W_ax"][1] = [30 * sign, 0]
    views["layers.0.b_a"][1] = 0
    return model


@pytest.mark.parametrize("line_end", [None, LINE_END])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_unit_made_to_follow_a_property_is_found(sign: int, line_end: int | None) -> None:
    """With correlation 1 on both halves, however many lanes read the text."""
    model = follower(3, sign)
    ids = np.random.default_rng(7).integers(0, 6, 6000)
    found = find_units(model, ids, (ids == 3).astype(float), line_end=line_end, best=2)
    best = found.units[0]
    assert best.name == "1.2"
    assert [best.first, best.second] == pytest.approx([sign, sign], abs=1e-6)
    assert abs(found.units[1].first) < 0.999
    read = np.ones(6000, bool) if line_end is None else ids != line_end
    assert found.tokens == (read[:3000].sum(), read[3000:].sum())
    assert found.shares == pytest.approx([(ids == 3)[:3000][read[:3000]].mean(), (ids == 3)[3000:][read[3000:]].mean()])
    assert not found.ranked


@pytest.mark.parametrize("ranked", [False, True])
def test_halves_are_kept_apart(ranked: bool) -> None:
    """Units are ordered by the first half; both correlations are those of NumPy on the halves' values."""
    model = model_of("lstm")
    draw = np.random.default_rng(5)
    ids = draw.integers(0, 6, 900)
    wanted = draw.integers(0, 9, 900).astype(float) if ranked else (ids == 2).astype(float)
    found = find_units(model, ids, wanted, line_end=None, ranked=ranked, part="cell", best=3)
    values = activations(model, ids, line_end=None, part="cell").transpose(1, 0, 2).reshape(900, 8).astype(float)
    if ranked:
        halves = [
            [np.corrcoef(slow_ranks(values[half, k]), slow_ranks(wanted[half]))[0, 1] for k in range(8)]
            for half in (slice(450), slice(450, 900))
        ]
    else:
        halves = [
            [np.corrcoef(values[half, k], wanted[half])[0, 1] for k in range(8)]
            for half in (slice(450), slice(450, 900))
        ]
    order = np.argsort(-np.abs(halves[0]))[:3]
    assert [(unit.layer, unit.number) for unit in found.units] == [(k // 4 + 1, k % 4 + 1) for k in order]
    np.testing.assert_allclose([unit.first for unit in found.units], np.array(halves[0])[order], atol=1e-4)
    np.testing.assert_allclose([unit.second for unit in found.units], np.array(halves[1])[order], atol=1e-4)


def test_lanes_of_a_long_text_are_nearly_one() -> None:
    model = model_of("lstm")
    ids = np.random.default_rng(5).integers(0, 6, 9000)
    wanted = (ids == 2).astype(float)
    found = find_units(model, ids, wanted, line_end=None, best=8)
    values = activations(model, ids, line_end=None)
    for unit in found.units:
        exact = np.corrcoef(values[unit.layer - 1, 4500:, unit.number - 1], wanted[4500:])[0, 1]
        assert unit.second == pytest.approx(exact, abs=1e-3)


def test_ranks_take_no_more_memory_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neurons, "MOST_NUMBERS", 3 * 100)
    ids = np.random.default_rng(5).integers(0, 6, 900)
    found = find_units(follower(3, 1), ids, ids.astype(float), line_end=None, ranked=True)
    assert found.tokens == (100, 100)


def slow_ranks(values: np.ndarray) -> np.ndarray:
    """By their definition: how many are less, and half of the equal ones."""
    return np.array([np.sum(values < each) + (np.sum(values == each) + 1) / 2 for each in values])


@settings(max_examples=50)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_ranks_are_by_their_definition(numbers: list[int], seed: int) -> None:
    values = np.array(numbers, float)
    np.testing.assert_array_equal(ranks(values), slow_ranks(values))
    other = np.random.default_rng(seed).standard_normal((len(values), 2))
    found = rank_correlations(other, values)
    if len(set(numbers)) == 1:
        assert not found.any()
    else:
        expected = [np.corrcoef(slow_ranks(other[:, k]), slow_ranks(values))[0, 1] for k in range(2)]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_running_correlation_is_the_closed_form() -> None:
    """Point-biserial: the difference of the means, in deviations, times the root of the shares; far from zero too."""
    draw = np.random.default_rng(3)
    flags = (draw.random(500) < 0.3).astype(float)
    values = draw.standard_normal((500, 2)) + [1e6, 0] + flags[:, None] * [0.5, -2]
    running = RunningCorrelation(2)
    for first in range(0, 500, 7):
        running.add(values[first : first + 7], flags[first : first + 7])
    running.add(values[:0], flags[:0])
    means = values[flags == 1].mean(axis=0) - values[flags == 0].mean(axis=0)
    expected = means / values.std(axis=0) * np.sqrt(flags.mean() * (1 - flags.mean()))
    np.testing.assert_allclose(running.result(), expected, rtol=1e-7)
    assert running.rows == 500
    assert running.other_mean == pytest.approx(flags.mean())
    constant = RunningCorrelation(1)
    constant.add(np.ones((4, 1)), np.array([0.0, 1, 0, 1]))
    assert constant.result() == [0]


def values_of(name: str, text: str) -> str:
    return "".join(str(int(value)) for value in find_property(name).measure(text))


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("quotes", 'a "bc" d', "00111000"),
        ("quotes", "“ab” c", "111000"),
        ("quotes", 'a "b\n\nc', "00111" + "00"),
        ("brackets", "f(a[0]) ) ( x", "0111110000000"),
        ("brackets", "(]a)", "1110"),
        ("depth", "f(a[0]) ) ( x", "0112210000000"),
        ("depth", "({[x", "0000"),
        ("digits", "a12 b3", "011001"),
        ("spaces", "a b\n\t", "01011"),
        ("capitals", "aBC", "011"),
        ("place", "ab\nc\n\nd", "1201001"),
        ("indent", "  a b\n\tc", "12222011"),
        ("word", "ab1 c,d", "1230101"),
    ],
)
def test_properties(name: str, text: str, values: str) -> None:
    assert values_of(name, text) == values
    assert len(PROPERTIES[name].measure("")) == 0


def test_a_property_of_tokens_is_that_of_their_last_character() -> None:
    pieces = ["He", " said", ' "', "no", '"', "", "!"]
    assert of_tokens(find_property("quotes"), pieces).tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert of_tokens(find_property("place"), ["ab", " c", "\n"]).tolist() == [2, 4, 0]


def test_a_match_covers_a_token_if_it_covers_all_of_it() -> None:
    """But for the white space before it."""
    pieces = ["ab", " cd", " ef", "\n", " ", "cd"]
    assert of_tokens(by_regex("cd|e"), pieces).tolist() == [0, 1, 0, 0, 0, 1]
    assert of_tokens(by_regex("^ab"), ["x", "\n", "a", "b"]).tolist() == [0, 0, 1, 1]
    assert of_tokens(by_regex(r"\s"), pieces).tolist() == [0, 0, 0, 1, 1, 0]


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    model = follower(3, 1)
    for name in ("", "1", "1.", "1.4", "2.1", "0.1", "1.0", "a.b", "1.²", "1.2.3", "-1.1"):
        with pytest.raises(UsageError, match="layer from 1 to 1 and a unit from 1 to 3"):
            read_unit(model, name)
    assert read_unit(model, "1.3") == (0, 2)
    with pytest.raises(UsageError, match="choose from quotes, "):
        find_property("nothing")
    with pytest.raises(UsageError, match="no regular expression"):
        by_regex("(")
    monkeypatch.setattr("charlm.text.properties.PATIENCE", 0.01)
    with pytest.raises(UsageError, match="simplify"):
        by_regex("(?:a|aa)+$").measure("a" * 60 + "b")
    ids = np.array([2, 3, 4, 5])
    with pytest.raises(InputError, match="nowhere, or everywhere"):
        find_units(model, ids, np.array([0.0, 1, 0, 0]), line_end=None)
    with pytest.raises(InputError, match="nowhere, or everywhere"):
        find_units(model, np.array([0, 0, 0, 0]), np.array([0.0, 1, 0, 1]), line_end=0)
    with pytest.raises(InputError, match="nowhere, or everywhere"):
        find_units(model, ids[:0], np.zeros(0), line_end=None)
    with pytest.raises(UsageError, match="hidden, cell"):
        activations(model, ids, line_end=None, part="gate")
    model.parameters.views["layers.0.b_a"][0] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        activations(model, ids, line_end=None)
