"""Sampling: what is drawn is what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import KINDS, fresh_model

from charlm.errors import UsageError
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Drawer
from charlm.sampling.side_by_side import Job, sample_side_by_side
from charlm.sampling.stream import AHEAD, WARM_WINDOW, sample

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel

VOCABULARY = 6


def model_of(kind: str) -> LanguageModel:
    model = fresh_model(kind, vocabulary=VOCABULARY, hidden=5, embedding=4)
    model.parameters.views["head.W_y"][...] *= 3
    return model


def logits_after(model: LanguageModel, ids: list[int]) -> np.ndarray:
    """Those of the next token after a text, fed one token at a time from a start."""
    work, states = model.new_workspace(1, 1), model.zero_states(1)
    still = np.zeros((1, 1), bool)
    for token in (-1, *ids):
        logits, states = model.logits(work, np.array([[token]]), still, states)
    return np.asarray(logits[:, 0, 0])


def drawn(logits: np.ndarray, config: SamplingConfig, number: int) -> list[int]:
    """So many tokens drawn from the same logits."""
    columns = np.repeat(logits[:, None], number, axis=1)
    found: list[int] = Drawer(config, len(logits)).draw(columns, np.random.default_rng(0).random(number)).tolist()
    return found


def sampled(model: LanguageModel, prompt: list[int], config: SamplingConfig, *seed: int) -> list[int]:
    return list(sample(model, np.array(prompt, np.uint8), config, seed or (1,)))


def jobs_of(prompt: np.ndarray, number: int) -> list[Job]:
    return [Job(prompt, (1, index)) for index in range(number)]


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_is_the_brute_force_argmax(kind: str) -> None:
    """At temperature 0 every token is the likeliest after all before it, whatever the seed."""
    model = model_of(kind)
    expected: list[int] = []
    for _ in range(12):
        expected.append(int(np.argmax(logits_after(model, expected))))
    assert sampled(model, [], SamplingConfig(12, temperature=0)) == expected
    assert sampled(model, [], SamplingConfig(12, temperature=0), 2) == expected


@pytest.mark.parametrize("length", [1, 2, WARM_WINDOW - 1, WARM_WINDOW, WARM_WINDOW + 1, 3 * WARM_WINDOW])
def test_a_prompt_is_fed_token_by_token(length: int) -> None:
    """Whatever its length: the continuation is that of the text so far."""
    model = model_of("lstm")
    prompt = np.random.default_rng(0).integers(0, VOCABULARY, length).tolist()
    text = list(prompt)
    for _ in range(5):
        text.append(int(np.argmax(logits_after(model, text))))
    assert sampled(model, prompt, SamplingConfig(5, temperature=0)) == text[length:]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_first_tokens_follow_the_softmax(temperature: float) -> None:
    """Chi-square of 3000 first tokens, one a seed, against softmax(logits / temperature)."""
    model, draws = model_of("gru-before"), 3000
    model.parameters.views["head.W_y"][...] *= 0.2
    scaled = logits_after(model, []) / temperature
    expected = draws * np.exp(scaled) / np.exp(scaled).sum()
    assert expected.min() > 20
    config = SamplingConfig(1, temperature)
    found = [sampled(model, [], config, 7, seed)[0] for seed in range(draws)]
    counts = np.bincount(found, minlength=VOCABULARY)
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < 20.5  # 0.999 quantile of 5 degrees of freedom
    if temperature != 1:  # and the test can tell
        wrong = draws * np.exp(logits_after(model, [])) / np.exp(logits_after(model, [])).sum()
        assert float(((counts - wrong) ** 2 / wrong).sum()) > 100


def test_what_must_never_come_never_comes() -> None:
    """Neither drawn nor taken greedily, though it were the likeliest; the others keep their proportions."""
    model = model_of("lstm")
    model.parameters.views["head.b_y"][2] += 5
    assert sampled(model, [], SamplingConfig(1, temperature=0)) == [2]
    config = SamplingConfig(400, never=(2, 5))
    assert not {2, 5} & set(sampled(model, [], config))
    assert 2 not in sampled(model, [], SamplingConfig(50, temperature=0, never=(2,)))
    found = drawn(np.log(np.array([0.2, 0.2, 0.5, 0.1])), SamplingConfig(1, never=(2,)), 4000)
    np.testing.assert_allclose(np.bincount(found) / 4000, [0.4, 0.4, 0, 0.2], atol=0.04)


def test_same_seed_same_tokens() -> None:
    """And other seeds others; drawing does not touch the model."""
    model = model_of("lstm")
    before = model.parameters.values.copy()
    config = SamplingConfig(60)
    assert sampled(model, [1], config, 5, 0) == sampled(model, [1], config, 5, 0)
    assert sampled(model, [1], config, 5, 0) != sampled(model, [1], config, 5, 1)
    assert len(sampled(model, [1], config)) == 60
    np.testing.assert_array_equal(model.parameters.values, before)


def test_a_stop_ends_the_sample_and_is_its_last_token() -> None:
    model = model_of("lstm")
    free = sampled(model, [], SamplingConfig(200))
    stop = free[30]
    found = sampled(model, [], SamplingConfig(200, stop=(stop,)))
    assert found == free[: free.index(stop) + 1]
    assert sampled(model, [], SamplingConfig(0)) == []


def test_draw_handles_extreme_logits_and_temperatures() -> None:
    """A near-zero temperature is greedy, equals at temperature 0 give the smallest id, huge logits overflow nothing."""
    logits = np.array([1e4, 1e4 - 1, -1e4], np.float32)
    for temperature in (1e-6, 1e-300, 5e-324):
        assert set(drawn(logits, SamplingConfig(1, temperature), 50)) == {0}
    assert drawn(np.array([0.0, 3.0, 3.0]), SamplingConfig(1, 0), 1) == [1]
    hot = drawn(logits, SamplingConfig(1, 1e9), 3000)
    np.testing.assert_allclose(np.bincount(hot) / 3000, 1 / 3, atol=0.04)
    assert logits[0] == np.float32(1e4)


def test_options_out_of_range_are_usage_errors() -> None:
    """The message names the option."""
    with pytest.raises(UsageError, match="--temperature"):
        SamplingConfig(1, temperature=-0.1)
    with pytest.raises(UsageError, match="--length"):
        SamplingConfig(-1)
    with pytest.raises(UsageError, match="--temperature"):
        SamplingConfig(1, temperature=float("nan"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_side_by_side_are_the_same_samples(kind: str, temperature: float) -> None:
    """Whatever the number of lanes, and though a lane takes one sample after another; longer than numbers are ahead."""
    model, prompt = model_of(kind), np.array([1, 2, 3])
    config, seeds = SamplingConfig(AHEAD + 9, temperature, never=(4,), stop=(2,)), [(7, i) for i in range(11)]
    expected = {i: list(sample(model, prompt, config, seed)) for i, seed in enumerate(seeds)}
    assert temperature == 0 or len({len(each) for each in expected.values()}) > 1
    for lanes in (1, 4, 16):
        found = sample_side_by_side(model, [Job(prompt, seed) for seed in seeds], config, lanes)
        assert {i: drawn.ids.tolist() for i, drawn in found} == expected


def test_side_by_side_without_a_stop_or_a_length() -> None:
    model, nothing = model_of("gru-before"), np.zeros(0, np.int64)
    config = SamplingConfig(3 * AHEAD + 1)
    found = {i: each.ids for i, each in sample_side_by_side(model, jobs_of(nothing, 5), config, 2)}
    assert found[4].tolist() == list(sample(model, nothing, config, (1, 4)))
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert {len(ids) for ids in found.values()} == {3 * AHEAD + 1}
    assert len({tuple(ids) for ids in found.values()}) == 5
    none = sample_side_by_side(model, jobs_of(nothing, 3), SamplingConfig(0), 2)
    assert [(i, each.ids.tolist()) for i, each in none] == [(0, []), (1, []), (2, [])]
    assert not list(sample_side_by_side(model, [], SamplingConfig(9), 2))


def test_the_largest_random_number_draws_what_has_a_weight() -> None:
    """The cumulated weights end in the token that may never come: nothing may round into it."""
    drawer, largest = Drawer(SamplingConfig(1, never=(3,)), 4), np.array([1 - 2.0**-53])
    for seed in range(200):
        logits = np.random.default_rng(seed).standard_normal((4, 1))
        assert drawer.draw(logits, largest)[0] == 2
        assert drawer.draw(logits, np.zeros(1))[0] == 0


@pytest.mark.parametrize("config", [SamplingConfig(1, *how) for how in ((), (0.3,), (0,), (2.0, (0, 5)), (0, (4,)))])
def test_one_column_is_drawn_as_many_are(config: SamplingConfig) -> None:
    """The same token for the same number, whatever the temperature and what may not come; equal logits too."""
    rng = np.random.default_rng(0)
    logits = np.concatenate((3 * rng.standard_normal((6, 200)), np.zeros((6, 20))), axis=1).astype(np.float32)
    numbers = np.concatenate((rng.random(218), [0.0, 1 - 2.0**-53]))
    drawer = Drawer(config, len(logits))
    found = [drawer.draw_one(column, number) for column, number in zip(logits.T, numbers.tolist(), strict=True)]
    assert found == drawer.draw(logits, numbers).tolist()
    assert len(set(found)) >= 4
