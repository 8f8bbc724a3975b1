"""What is kept of an adaptation, texts scored by it, and text drawn from it."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from comparing_cases import random_model
from prediction_cases import CACHE, SGD, read_all

from charlm.errors import ModelError, UsageError
from charlm.prediction import scorer as scoring
from charlm.prediction.build import Beside, build
from charlm.prediction.cache import CachePredictor
from charlm.prediction.config import Adaptation, Cache, Counts, Dynamic, Models
from charlm.prediction.drawing import draw_adapted
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.network import NetworkPredictor
from charlm.prediction.scorer import AdaptedScorer
from charlm.sampling.config import Filters, SamplingConfig
from charlm.sampling.many import draw_one
from charlm.sampling.side_by_side import Job
from charlm.scoring import Parts, score_texts, score_tokens
from charlm.text.parts import Part

FULL = Adaptation(Dynamic("sgd"), Cache(), Counts("n.ngram", 0.25), Models(["a", "b"], [0.125, 0.0]))
ADAPTING = Adaptation(dynamic=SGD, cache=CACHE)
IDS = np.array([2, 3, 0, 4, 1, 2, 0, 5, 2, 3])


def part_of(ids: np.ndarray, labels: Any = None) -> Part:
    return Part(ids.astype(np.uint8), len(ids), len(ids), int((ids == 1).sum()), int((ids == 0).sum()), labels)


# ---- config


def test_an_adaptation_comes_back_from_json() -> None:
    for how in (FULL, Adaptation(), ADAPTING):
        assert Adaptation.from_json(json.loads(json.dumps(how.to_json()))) == how
    assert FULL.weight == 0.625
    assert Adaptation().idle
    assert not ADAPTING.idle


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("dynamic", {"method": "adam"}),
        ("dynamic", {"lr": -1.0}),
        ("dynamic", {"decay": 1.5}),
        ("dynamic", {"segment": 0}),
        ("dynamic", {"epsilon": 0.0}),
        ("dynamic", {"segment": 2.5}),
        ("dynamic", {"more": 1}),
        ("cache", {"size": 0}),
        ("cache", {"theta": -1.0}),
        ("cache", {"share": 1.0}),
        ("ngrams", {"weight": 1.0}),
        ("ngrams", {"path": None}),
        ("models", {"weights": [0.1]}),
        ("models", {"weights": [0.1, "much"]}),
        ("models", {"weights": [0.5, 0.25]}),
        ("models", {"weights": [-0.1, 0.2]}),
        ("models", {"paths": "ab"}),
    ],
)
def test_what_is_damaged_is_refused(part: str, values: dict[str, Any]) -> None:
    data = FULL.to_json()
    data[part] |= values
    with pytest.raises(ModelError):
        Adaptation.from_json(data)


@pytest.mark.parametrize("data", [None, [], {}, {"dynamic": None}, {**FULL.to_json(), "more": None}])
def test_what_is_no_adaptation_is_refused(data: Any) -> None:
    with pytest.raises(ModelError, match="expected the keys cache, dynamic, models, ngrams"):
        Adaptation.from_json(data)


def test_weights_that_leave_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="nothing to the network"):
        Adaptation(ngrams=Counts("n", 0.5), models=Models(["a"], [0.5]))


def test_what_is_built_is_what_was_asked_for() -> None:
    model = random_model().trained
    expected = CachePredictor(DynamicPredictor(model.network, SGD), CACHE)
    text = [[2, 3, 4, 5, 2, 3, 4]]
    for one, other in zip(read_all(build(model, ADAPTING), text), read_all(expected, text), strict=True):
        np.testing.assert_array_equal(one, other)
    squares = np.ones(len(model.network.parameters))
    rms = Dynamic("rms", 0.1, 0.1, 3)
    built = build(model, Adaptation(dynamic=rms), Beside(mean_squares=squares))
    pairs = zip(read_all(built, text), read_all(DynamicPredictor(model.network, rms, squares), text), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


# ---- scorer


def scorer(how: Adaptation = ADAPTING, **text: Any) -> AdaptedScorer:
    model = random_model(**text).trained
    return AdaptedScorer(model, build(model, how))


def test_without_adaptation_scores_are_the_models() -> None:
    plain = scorer(Adaptation())
    network, texts = plain.model.network, [IDS, np.array([], np.int64), IDS[:1]]
    for one, other in zip(plain.score_texts(texts), score_texts(network, texts), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    for mine, its in zip(plain.score_tokens(texts, 3), score_tokens(network, texts, 3), strict=True):
        np.testing.assert_allclose(mine.logprobs, its.logprobs, rtol=1e-5)
        np.testing.assert_allclose(mine.entropies, its.entropies, rtol=1e-5)
        np.testing.assert_allclose(mine.likeliest_logprobs, its.likeliest_logprobs, rtol=1e-5)
        np.testing.assert_array_equal(mine.ranks, its.ranks)
        np.testing.assert_array_equal(mine.likeliest, its.likeliest)
    found, expected = plain.evaluate(part_of(IDS)), plain.model.evaluate(part_of(IDS), exact=True)
    assert found.tokens == expected.tokens
    assert found.unknown == expected.unknown == 1
    assert found.nats == pytest.approx(expected.nats, rel=1e-5)
    assert found.unknown_nats == pytest.approx(expected.unknown_nats, rel=1e-5)


def test_each_text_is_scored_as_if_it_were_the_first() -> None:
    adapting = scorer()
    one, other, again = adapting.score_texts([IDS, IDS[::-1], IDS])
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    logs = read_all(build(adapting.model, ADAPTING), [IDS.tolist()])
    np.testing.assert_array_equal(one, [each[token] for each, token in zip(logs, IDS, strict=False)])
    np.testing.assert_array_equal(adapting.score_tokens([IDS, IDS])[1].logprobs, one)


@pytest.mark.parametrize("lines", [False, True])
def test_a_text_is_evaluated_in_its_order(lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are independent begin anew and are adapted to all the same; whatever was read before is forgotten."""
    monkeypatch.setattr(scoring, "BLOCK", 3)
    adapting = scorer(independent_lines=lines)
    texts = [[2, 3, 0], [4, 1, 2, 0], [5, 2, 3]] if lines else [IDS.tolist()]
    every = read_all(build(adapting.model, ADAPTING), texts)
    ends = {3, 8, 12} if lines else {10}
    logs = [each for place, each in enumerate(every) if place not in ends]
    nats = -np.array([each[token] for each, token in zip(logs, IDS, strict=True)])
    adapting.score_texts([IDS])
    parts = Parts([4, 6])
    found = adapting.evaluate(part_of(IDS), by_part=parts)
    assert found.nats == pytest.approx(nats.sum(), rel=1e-12)
    assert found.unknown_nats == pytest.approx(nats[4], rel=1e-12)
    assert (found.tokens, found.unknown) == (10, 1)
    np.testing.assert_allclose(parts.nats, [nats[:4].sum(), nats[4:].sum()], rtol=1e-12)
    assert parts.tokens.tolist() == [4, 6]


def test_lines_with_labels_are_not_evaluated() -> None:
    with pytest.raises(UsageError, match="lines with labels"):
        scorer().evaluate(part_of(IDS, np.zeros(3, np.int64)))


# ---- drawing

JOB = Job(np.array([2, 3, 4]), (1, 2))


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    model = random_model().trained
    drawn = [
        draw_adapted(build(model, ADAPTING), Job(JOB.prompt, seed), SamplingConfig(30)).drawn.ids.tolist()
        for seed in ((1, 2), (1, 2), (1, 3))
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 30
    predictor = build(model, ADAPTING)
    alike = [draw_adapted(predictor, JOB, SamplingConfig(30)).drawn.ids.tolist() for _ in range(2)]
    assert alike == [drawn[0]] * 2


def test_what_is_drawn_has_the_probability_that_is_scored() -> None:
    """Of a text that adapts to the prompt and to itself."""
    model = random_model().trained
    found = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(20, details=True)).drawn
    assert found.details is not None
    text = np.concatenate((JOB.prompt, found.ids))
    scored = AdaptedScorer(model, build(model, ADAPTING)).score_texts([text])[0][3:]
    np.testing.assert_allclose(found.details.logprobs, scored, rtol=1e-12)


def test_draws_follow_the_distribution() -> None:
    model = random_model().trained
    predictor = build(model, ADAPTING)
    expected = np.exp(read_all(build(model, ADAPTING), [JOB.prompt.tolist()])[-1])
    ids = [int(draw_adapted(predictor, Job(JOB.prompt, (k,)), SamplingConfig(1)).drawn.ids[0]) for k in range(2000)]
    np.testing.assert_allclose(np.bincount(ids, minlength=8) / 2000, expected, atol=0.04)


def test_draws_keep_to_what_is_asked() -> None:
    model = random_model().trained
    sure = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(12, temperature=0)).drawn.ids.tolist()
    first = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(12, filters=Filters(top_k=1))).drawn.ids.tolist()
    assert sure == first
    expected = read_all(build(model, ADAPTING), [[*JOB.prompt.tolist(), *sure]])[3:-1]
    assert sure == [int(each.argmax()) for each in expected]
    never = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(40, never=(2, 0))).drawn
    assert not {0, 2} & set(never.ids.tolist())
    found = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(500, stop=(0,))).drawn
    assert found.ids[-1] == 0
    assert found.stop == "eos"
    assert 0 not in found.ids[:-1]
    nothing = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(0)).drawn
    assert nothing.ids.size == 0
    new = draw_adapted(build(model, ADAPTING), JOB, SamplingConfig(40, filters=Filters(penalty=100.0, window=1))).drawn
    assert all(one != other for one, other in pairwise(new.ids.tolist()))


def test_without_adaptation_a_stream_draws_as_the_network_does() -> None:

    model = random_model().trained
    mine = draw_adapted(NetworkPredictor(model.network), JOB, SamplingConfig(60)).drawn.ids.tolist()
    assert mine == draw_one(model.network, JOB, SamplingConfig(60)).drawn.ids.tolist()
