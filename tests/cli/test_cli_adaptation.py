"""Options that adapt: each gives what Python gives, on every command that has them, and none changes what has none."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from adapting_cases import TEXT, Models, tuned_models
from cli_cases import Trained, contents, succeed

import charlm
from charlm.adapting.applying import predictor_of
from charlm.adapting.options import adaptation_of, complete
from charlm.checkpoint import load_model
from charlm.cli.adaptation import MECHANISMS
from charlm.prediction.config import Adaptation, Cache, Counts, Dynamic
from charlm.prediction.config import Models as Mixed
from charlm.text import long

if TYPE_CHECKING:
    from collections.abc import Mapping

SGD = {"dynamic": "sgd", "dynamic_lr": 0.1, "dynamic_decay": 0.01, "dynamic_segment": 4}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, wordy: Trained) -> Models:
    return tuned_models(tmp_path_factory.mktemp("adapting"), wordy)


def every_option(models: Models) -> list[dict[str, Any]]:
    """Options of Python: each mechanism with all its numbers, with few, and all of them."""
    return [
        SGD,
        {"dynamic": "rms"},
        {"dynamic": "rms", "dynamic_lr": 0.003, "dynamic_segment": 3},
        {"cache": 50},
        {"cache": 3, "cache_theta": 0.9, "cache_share": 0.4},
        {"mix": [str(models.other)]},
        {"mix": [str(models.other), str(models.model)], "weights": [0.5, 0.25]},
        {"ngrams": str(models.counts)},
        {"ngrams": str(models.counts), "ngram_share": 0.6},
        {"tuned": True},
        {"tuned": True, "cache_share": 0.2},
        {**SGD, "cache": 9, "mix": [str(models.other)], "ngrams": str(models.counts)},
    ]


def typed(options: Mapping[str, Any]) -> list[str]:
    """The same as they are typed."""
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "weights":
            words += [flag, ",".join(map(str, value))]
        elif isinstance(value, list):
            words += [word for each in value for word in (flag, each)]
        else:
            words += [flag] if value is True else [flag, str(value)]
    return words


NUMBER = 12


@pytest.mark.parametrize("which", range(NUMBER))
def test_every_option_gives_what_python_gives(models: Models, which: int) -> None:
    """On score, rank, eval and sample; and something else than without it."""
    options = every_option(models)[which]
    assert len(every_option(models)) == NUMBER
    words, plain = typed(options), charlm.load(models.model)
    adapted = plain.adapted(**options)
    text = TEXT.splitlines()[0]
    scored = succeed("score", text, "-m", models.model, "--json", "--per-token", *words).json
    assert scored["logprob"] == adapted.score(text).logprob
    assert scored["per_token"][-1]["logprob"] == adapted.score(text, per_token=True).per_token[-1].logprob  # type: ignore[index]  # asked for
    # A short text is over before a cache, or a whole segment, has said anything.
    longer = TEXT * 8
    assert adapted.score(longer).logprob != plain.score(longer).logprob
    ranked = succeed("rank", *TEXT.splitlines(), "-m", models.model, "--json", *words).json
    assert [each["logprob"] for each in ranked] == [each.logprob for each in adapted.rank(TEXT.splitlines())]
    Path("text.txt").write_text(longer, encoding="utf-8")
    found = succeed("eval", "text.txt", "-m", models.model, "--json", *words).json
    assert found["nats"] == adapted.evaluate(text=longer).nats
    assert found["nats"] != pytest.approx(plain.evaluate(text=longer, exact=True).nats, rel=1e-9)
    drawing = ("-n", 2, "--seed", 3, "--length", 30)
    drawn = succeed("sample", "-m", models.model, *drawing, "--jsonl", *words).objects
    assert [each["text"] for each in drawn] == adapted.sample(2, seed=3, length=30)
    shown = succeed("sample", "-m", models.model, *drawing, *words).out.decode()
    assert shown.split() == " ".join(each["text"] for each in drawn).split()


def test_nothing_is_adapted_unless_asked_for(models: Models, wordy: Trained) -> None:
    """What is kept beside a model changes none of its results."""
    for command in (
        ("score", TEXT.splitlines()[0], "--json"),
        ("rank", "river", "bridge", "--json"),
        ("eval", wordy.corpus, "--json"),
        ("sample", "--seed", 1, "--length", 20),
    ):
        assert succeed(*command, "-m", models.model).out == succeed(*command, "-m", wordy.folder).out


@pytest.mark.parametrize("which", range(NUMBER))
def test_probabilities_sum_to_one_at_every_step(models: Models, which: int) -> None:
    model = load_model(models.model)
    predictor = predictor_of(model, models.model, every_option(models)[which])
    predictor.start()
    for token in model.tokenizer.encode(TEXT * 3).tolist():
        assert np.exp(predictor.log_probabilities()).sum() == pytest.approx(1, abs=1e-9)
        predictor.read(token)


def test_numbers_that_are_not_given_are_those_tuned() -> None:
    """Of the same mechanism; --tuned asks for all, and what is given goes first."""
    tuned = Adaptation(
        Dynamic("rms", lr=0.5, decay=0.25, segment=7, epsilon=0.125),
        Cache(30, 0.75, 0.25),
        Counts("counts", 0.375),
        Mixed(["a", "b"], [0.125, 0.0625]),
    )
    assert adaptation_of({"tuned": True}, tuned) == tuned
    assert adaptation_of({"dynamic": "rms"}, tuned) == Adaptation(dynamic=tuned.dynamic)
    assert adaptation_of({"dynamic": "rms", "dynamic_lr": 0.1}, tuned).dynamic == Dynamic("rms", 0.1, 0.25, 7, 0.125)
    assert adaptation_of({"dynamic": "sgd"}, tuned) == adaptation_of({"dynamic": "sgd"})
    assert adaptation_of({"cache": 5}, tuned) == Adaptation(cache=Cache(5, 0.75, 0.25))
    assert adaptation_of({"cache": 5, "cache_share": 0.5}, tuned) == Adaptation(cache=Cache(5, 0.75, 0.5))
    assert adaptation_of({"ngrams": "others"}, tuned) == Adaptation(ngrams=Counts("others", 0.375))
    assert adaptation_of({"mix": ["a", "b"]}, tuned) == Adaptation(models=tuned.models)
    assert adaptation_of({"mix": ["b", "a"]}, tuned) == Adaptation(models=Mixed(["b", "a"], [1 / 3, 1 / 3]))
    given = adaptation_of({"tuned": True, "cache_theta": 2, "ngram_share": 0.5, "dynamic_segment": 3}, tuned)
    assert given.cache == Cache(30, 2, 0.25)
    assert given.ngrams == Counts("counts", 0.5)
    assert given.dynamic == Dynamic("rms", 0.5, 0.25, 3, 0.125)
    assert given.models == tuned.models


def test_shares_that_nobody_has_given_leave_room_for_all() -> None:
    found = adaptation_of({"mix": "a", "ngrams": "c", "ngram_share": 0.5})
    assert found.models == Mixed(["a"], [0.25])
    assert found.weight == 0.25


def test_what_was_tuned_is_looked_up_only_where_it_may_matter() -> None:
    assert complete(SGD)
    assert complete({"cache": 3, "cache_theta": 1, "cache_share": 0})
    assert complete({"mix": "a", "weights": [0.5], "ngrams": "c", "ngram_share": 0.1})
    for missing in (
        {"tuned": True},
        {"dynamic": "sgd", "dynamic_lr": 0.1, "dynamic_decay": 0},
        {**SGD, "dynamic": "rms"},
        {"cache": 3, "cache_theta": 1},
        {"mix": "a"},
        {"ngrams": "c"},
    ):
        assert not complete(missing)


def test_long_texts_are_scored_as_short_ones(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks, with ranks and entropies."""
    options = {"tuned": True, "cache": 9}
    text = TEXT * 30
    whole = charlm.load(models.model).adapted(**options).score(text, per_token=True)  # type: ignore[arg-type]  # as AdaptOptions has them
    Path("long.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(long, "LONGEST", 100)
    words = ("score", "--file", "long.txt", "--whole", "-m", models.model, "--json", *typed(options))
    found = succeed(*words, "--per-token").json
    assert found["tokens"] == whole.tokens
    assert found["logprob"] == pytest.approx(whole.logprob, rel=1e-12)
    assert [each["rank"] for each in found["per_token"]] == [each.rank for each in whole.per_token]  # type: ignore[union-attr]  # asked for
    assert found["per_token"][-1]["entropy"] == pytest.approx(whole.per_token[-1].entropy)  # type: ignore[index]  # likewise
    assert succeed(*words).json["logprob"] == pytest.approx(whole.logprob, rel=1e-12)


def test_each_sample_begins_with_the_model_as_it_was(models: Models) -> None:
    """More samples change none of the first ones, and what is left of one unread is drawn all the same."""
    adapted = charlm.load(models.model).adapted(tuned=True)
    five = adapted.sample(5, seed=1, length=40, prompt=["river", "bridge"])
    assert adapted.sample(2, seed=1, length=40, prompt=["river", "bridge"]) == five[:4]
    samples = list(adapted.samples(2, seed=1, length=40, prompt=["river", "bridge"]))
    assert [each.text for each in samples] == five[:4]
    same = adapted.sample(3, seed=1, length=40, prompt=["river", "river"])
    assert len(set(same)) == len(same)
    begun = adapted.samples(1, seed=1, length=40, prompt=["river", "bridge"])
    first = next(begun)
    next(first.pieces())
    assert next(begun).text == five[1]
    assert first.text == five[0]
    again = adapted.score(five[0]).logprob
    assert adapted.score([five[1], five[0]])[1].logprob == again


def test_what_adapts_a_sample_is_its_own_prompt(models: Models) -> None:
    """The log-probabilities that are told are those of the adapting model."""
    adapted = charlm.load(models.model).adapted(cache=50, cache_share=0.5)
    (sample,) = adapted.samples(prompt="river river river", seed=2, length=5)
    details = sample.drawn.details
    assert details is not None
    scored = adapted.score(sample.text, per_token=True).per_token or ()
    first = len(sample.prompt.ids)
    expected = [each.logprob for each in scored[first : first + len(details.logprobs)]]
    assert details.logprobs.tolist()[: len(expected) - 1] == pytest.approx(expected[: len(expected) - 1])


def test_pairs_are_judged_by_the_adapting_model(models: Models) -> None:
    pair = {"sentence_good": "river river", "sentence_bad": "bridge letter"}
    Path("pairs.jsonl").write_text(json.dumps(pair) + "\n", encoding="utf-8")
    words = ("rank", "--pairs", "pairs.jsonl", "-m", models.model, "--json")
    adapted = charlm.load(models.model).adapted(cache=9, cache_share=0.5)
    (judged,) = adapted.judge([charlm.Pair(*pair.values())])
    found = succeed(*words, "--cache", 9, "--cache-share", 0.5).objects[0]
    assert found["logprob_good"] == judged.good.logprob
    assert found["logprob_good"] > succeed(*words).objects[0]["logprob_good"]


def test_files_are_left_as_they_are(models: Models) -> None:
    before = contents(models.model.parent)
    succeed("score", TEXT.splitlines()[0], "-m", models.model, "--tuned")
    assert contents(models.model.parent) == before
    assert math.isfinite(charlm.load(models.model).score("river").logprob)


def test_the_defaults_are_those_that_help_tells(models: Models) -> None:
    told = {each.name: each.default or "" for each in MECHANISMS}
    rms, sgd = (adaptation_of({"dynamic": method}).dynamic for method in ("rms", "sgd"))
    found = adaptation_of({"cache": 5, "ngrams": str(models.counts)})
    assert rms is not None
    assert sgd is not None
    assert found.cache is not None
    assert found.ngrams is not None
    assert told["dynamic_lr"].endswith(f"untuned: {rms.lr:g}; sgd: {sgd.lr:g}")
    assert rms.decay == sgd.decay
    for name, value in (
        ("dynamic_decay", rms.decay),
        ("dynamic_segment", rms.segment),
        ("cache_theta", found.cache.theta),
        ("cache_share", found.cache.share),
        ("ngram_share", found.ngrams.weight),
    ):
        assert told[name].endswith(f"untuned: {value:g}")
