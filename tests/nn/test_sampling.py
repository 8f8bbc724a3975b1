"""Sampling: what is drawn is what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from nn_cases import KINDS, fresh_model

from charlm.errors import UsageError
from charlm.sampling import WARM_WINDOW, SamplingConfig, draw, sample

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


def sampled(model: LanguageModel, prompt: list[int], config: SamplingConfig, *seed: int) -> list[int]:
    return list(sample(model, np.array(prompt, np.uint8), config, seed or (1,)))


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
    generator, logits = np.random.default_rng(0), np.log(np.array([0.2, 0.2, 0.5, 0.1]))
    found = [draw(logits, SamplingConfig(1, never=(2,)), generator) for _ in range(4000)]
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
    generator = np.random.default_rng(0)
    logits = np.array([1e4, 1e4 - 1, -1e4], np.float32)
    assert {draw(logits, SamplingConfig(1, 1e-6), generator) for _ in range(50)} == {0}
    assert draw(np.array([0.0, 3.0, 3.0]), SamplingConfig(1, 0), generator) == 1
    hot = [draw(logits, SamplingConfig(1, 1e9), generator) for _ in range(3000)]
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
