"""Beam search: with beams enough it finds what exhaustive search finds; with few, what it says it keeps."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_cases import fresh_model
from test_sampling_constraints import Counted, Rising

from charlm.errors import UsageError
from charlm.sampling.beams import Found, beam_search
from charlm.sampling.config import BeamConfig
from charlm.sampling.constraints import COMPLETE, EOS, LENGTH, Rules
from charlm.scoring import score_texts

if TYPE_CHECKING:
    from charlm.nn.language_model import LanguageModel
    from charlm.sampling.constraints import Constraint

NOTHING = np.zeros(0, np.int64)


def tiny(vocabulary: int, seed: int) -> LanguageModel:
    model = fresh_model("gru-before", layers=1, vocabulary=vocabulary, hidden=3, embedding=2, seed=seed)
    model.parameters.views["head.W_y"][...] *= 4
    return model


def continuations(vocabulary: int, config: BeamConfig, prompt: np.ndarray) -> list[tuple[int, ...]]:
    """Every one that is allowed: cut at the first token that ends it."""
    rules = Rules(config.constraints, config.never, config.stop, vocabulary)
    found = set()
    for ids in product(range(vocabulary), repeat=config.length):
        place, text = rules.begin(prompt), []
        for token in ids:
            if place.ended is not None or not rules.mask(place)[token]:
                break
            text.append(token)
            place = rules.after(place, token)
        if place.ended not in (None, "dead end") or len(text) == config.length:
            found.add(tuple(text))
    return sorted(found)


def exhaustive(model: LanguageModel, config: BeamConfig, prompt: np.ndarray) -> list[tuple[float, float, list[int]]]:
    """Score, log-probability and ids of the best of all, by scoring each as a text."""
    every = continuations(model.config.vocabulary, config, prompt)
    texts = [np.array([*prompt, *ids], np.int64) for ids in every]
    logprobs = [float(each[len(prompt) :].sum()) for each in score_texts(model, texts)]
    scored = [
        (logprob / ((5 + len(ids)) / 6) ** config.length_penalty, logprob, list(ids))
        for logprob, ids in zip(logprobs, every, strict=True)
    ]
    return sorted(scored, key=lambda each: -each[0])[: config.number]


def check_equal(found: list[Found], expected: list[tuple[float, float, list[int]]]) -> None:
    np.testing.assert_allclose([each.score for each in found], [each[0] for each in expected], atol=1e-9)
    np.testing.assert_allclose([each.logprob for each in found], [each[1] for each in expected], atol=1e-9)
    assert [each.drawn.ids.tolist() for each in found] == [each[2] for each in expected]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    vocabulary=st.integers(2, 4),
    length=st.integers(1, 4),
    length_penalty=st.sampled_from([0.0, 0.6, 1.0]),
    stop=st.sampled_from([(), (0,), (0, 1)]),
    never=st.sampled_from([(), (1,)]),
    number=st.integers(1, 20),
    prompt=st.lists(st.integers(0, 1), max_size=3),
)
def test_with_beams_enough_it_is_exhaustive_search(
    seed: int, vocabulary: int, prompt: list[int], number: int, **how: Any
) -> None:
    """The n best, their order, scores and log-probabilities, whatever the model, the ends and what never comes."""
    beams = max(vocabulary ** how["length"], number)
    config = BeamConfig(beams=beams, number=number, **how)
    model, before = tiny(vocabulary, seed), np.array(prompt, np.int64)
    check_equal(beam_search(model, before, config), exhaustive(model, config, before))


@pytest.mark.parametrize("constraints", [(Rising(),), (Counted(2, 3),), (Rising(), Counted(2, 9))])
@pytest.mark.parametrize("seed", range(5))
def test_constraints_hold_for_every_beam(constraints: tuple[Constraint, ...], seed: int) -> None:
    """As in exhaustive search of what they allow; what must go on and cannot is no continuation."""
    model, prompt = fresh_model("lstm", vocabulary=7, hidden=3, embedding=2, seed=seed), np.array([2])
    config = BeamConfig(4, 400, 12, stop=(6,) if seed % 2 else (), constraints=constraints)
    found = beam_search(model, prompt, config)
    assert found
    check_equal(found, exhaustive(model, config, prompt))


def test_few_beams_keep_the_best_beginnings() -> None:
    """One is greedy; and each step by hand gives what two find."""
    model = tiny(5, 3)
    for width in (1, 2, 3):
        kept: list[tuple[float, list[int]]] = [(0.0, [])]
        for _ in range(6):
            longer = [[*ids, token] for _, ids in kept for token in range(5)]
            sums = [float(each.sum()) for each in score_texts(model, [np.array(ids) for ids in longer])]
            kept = sorted(zip(sums, longer, strict=True), key=lambda each: -each[0])[:width]
        found = beam_search(model, NOTHING, BeamConfig(6, width, width, length_penalty=0))
        assert [each.drawn.ids.tolist() for each in found] == [ids for _, ids in kept]
        assert {each.drawn.stop for each in found} == {LENGTH}


def test_more_beams_find_nothing_worse() -> None:
    """Of this model; and one that ends has its reason, and the log-probability of each token."""
    model = tiny(6, 8)
    best = [beam_search(model, NOTHING, BeamConfig(8, beams, stop=(0,)))[0] for beams in (1, 4, 32)]
    assert best[0].score <= best[1].score <= best[2].score
    for each in best:
        assert each.drawn.stop == (EOS if each.drawn.ids[-1] == 0 else LENGTH)
        assert each.drawn.details is not None
        [scored] = score_texts(model, [each.drawn.ids])
        np.testing.assert_allclose(each.drawn.details.logprobs, scored, atol=1e-9)


def test_a_length_penalty_favours_longer_ones() -> None:
    models = [tiny(4, seed) for seed in range(12)]
    lengths = [
        sum(
            len(beam_search(model, NOTHING, BeamConfig(9, 64, stop=(0, 1), length_penalty=alpha))[0].drawn.ids)
            for model in models
        )
        for alpha in (0.0, 2.0)
    ]
    assert lengths[0] < lengths[1]


def test_groups_without_diversity_all_find_the_same() -> None:
    """Each group of two finds what two beams find; none is given twice."""
    model = tiny(6, 1)
    alone = beam_search(model, NOTHING, BeamConfig(6, 2, 2))
    grouped = beam_search(model, NOTHING, BeamConfig(6, 6, 6, groups=3))
    assert [each.drawn.ids.tolist() for each in grouped[:2]] == [each.drawn.ids.tolist() for each in alone]
    assert len({tuple(each.drawn.ids) for each in grouped}) == len(grouped)


@pytest.mark.parametrize("diversity", [1.5, 0.4])
def test_diversity_sets_groups_apart(diversity: float) -> None:
    """Step by step by hand: a token loses so much for each group that has just taken it; reports are without that."""
    model, length = tiny(6, 1), 5
    config = BeamConfig(length, 3, 3, groups=3, diversity=diversity, length_penalty=0)
    found = beam_search(model, NOTHING, config)
    texts: list[list[int]] = [[], [], []]
    lost = 0.0
    for _ in range(length):
        taken = np.zeros(6)
        for text in texts:
            longer = [np.array([*text, token]) for token in range(6)]
            last = np.array([each[-1] for each in score_texts(model, longer)]) - diversity * taken
            text.append(int(last.argmax()))
            lost += taken[text[-1]]
            taken[text[-1]] += 1
    # With little of it some take what others have taken, and pay for it.
    assert (lost > 0) == (diversity < 1)
    assert sorted(each.drawn.ids.tolist() for each in found) == sorted(texts)
    assert len({tuple(text) for text in texts}) == 3
    for each in found:
        assert each.logprob == pytest.approx(float(score_texts(model, [each.drawn.ids])[0].sum()))
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_behind_may_win_by_its_length(seed: int) -> None:
    """Nothing is given up that a longer text can still make the best: as in exhaustive search, of the best alone."""
    model = tiny(2, seed)
    model.parameters.views["head.W_y"][...] *= 3
    model.parameters.views["head.b_y"][1] += 2
    config = BeamConfig(8, 256, 1, stop=(0,), length_penalty=2.0)
    check_equal(beam_search(model, NOTHING, config), exhaustive(model, config, NOTHING))


def test_a_search_that_is_over_before_it_begins() -> None:
    model = fresh_model("lstm", vocabulary=7, hidden=3, embedding=2)
    [found] = beam_search(model, np.array([6]), BeamConfig(3, 2, constraints=(Rising(),)))
    assert (found.drawn.ids.tolist(), found.drawn.stop, found.logprob) == ([], COMPLETE, 0.0)
    assert not beam_search(model, np.array([6]), BeamConfig(3, 2, constraints=(Rising(), Counted(1, 2))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beams": 0}, "--beams is 0: it must be a number at least 1"),
        ({"beams": 4, "number": 5}, "-n is 5, but 4 --beams"),
        ({"beams": 4, "groups": 3}, "--beam-groups is 3: it must divide --beams, which is 4"),
        ({"beams": 4, "groups": 5}, "--beam-groups is 5: it must be a number at least 1 and at most 4"),
        ({"beams": 4, "diversity": 0.5}, "--diversity sets groups"),
        ({"beams": 4, "groups": 2, "diversity": -1.0}, "--diversity is -1.0"),
        ({"beams": 4, "length_penalty": 2.5}, "--length-penalty is 2.5: it must be a number at least 0 and at most 2"),
    ],
)
def test_what_makes_no_sense_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        BeamConfig(5, **options)
