"""``charlm tune``: what is chosen, that it is the best of what is tried, how it is kept, and what is refused."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from adapting_cases import Models, tuned_models
from cli_cases import QUICK, Trained, call, one_message, succeed

import charlm
from charlm.adapting.kept import file_beside, read_kept
from charlm.adapting.mixing import cached, fitted_mixture
from charlm.adapting.remembering import THETAS, best_cache, cache_log_probabilities, recorded
from charlm.adapting.searching import GAIN, Search
from charlm.adapting.tuning import Budget, Material
from charlm.adapting.tuning import tune as tune_model
from charlm.checkpoint import load_model
from charlm.measuring import part_given
from charlm.prediction.cache import CachePredictor
from charlm.prediction.config import Adaptation, Cache, Counts, Dynamic
from charlm.prediction.config import Models as Mixed
from charlm.prediction.network import NetworkPredictor
from charlm.prediction.walking import log_probabilities_of


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, wordy: Trained) -> Models:
    return tuned_models(tmp_path_factory.mktemp("adapting"), wordy)


@pytest.fixture
def own(models: Models, tmp_path: Path) -> Path:
    """A model with what was tuned for it, to be changed."""
    shutil.copytree(models.model, tmp_path / "own")
    return tmp_path / "own"


def test_what_was_tuned_costs_what_it_says(models: Models) -> None:
    """The cost of the whole adaptation, as eval finds it on the same tokens; each mechanism brings something."""
    tuned = read_kept(models.model, len(load_model(models.model).network.parameters))
    costs = [each.nats_per_token for each in tuned.results]
    assert [each.what for each in tuned.results] == [
        "as trained", "with dynamic evaluation", "with the cache", "with what is mixed in",
    ]  # fmt: skip
    # A weight is left to each part, also to one that is of no use.
    assert all(later < earlier + 1e-3 for earlier, later in pairwise(costs[1:]))
    assert costs[-1] < costs[0] - 0.01
    found = succeed("eval", "-m", models.model, "--tuned", "--json").json
    assert found["tokens"] <= 150
    assert found["nats_per_token"] == pytest.approx(costs[-1], rel=1e-9)
    plain = succeed("eval", "-m", models.model, "--exact", "--json").json
    assert plain["nats_per_token"] == pytest.approx(costs[0], rel=1e-5)


def test_the_numbers_that_are_kept_are_those_told(models: Models) -> None:
    shown = succeed("info", "-m", models.model).out.decode()
    about = succeed("info", "-m", models.model, "--json").json["tuned"]
    assert Adaptation.from_json({key: about[key] for key in ("dynamic", "cache", "ngrams", "models")})
    assert about["ngrams"]["path"] == str(models.counts)
    assert about["models"]["paths"] == [str(models.other)]
    assert f"--cache-theta {about['cache']['theta']:.4g} --cache-share {about['cache']['share']:.4g}" in shown
    assert f"--dynamic-lr {about['dynamic']['lr']:.4g}" in shown
    assert f"{about['results'][-1]['nats_per_token']:.4f}" in shown
    assert "tuned" not in succeed("info", "-m", models.other, "--json").json


def test_python_tunes_as_the_command_does(models: Models, tmp_path: Path) -> None:
    """The same bytes; what is tried is told."""
    for name in ("one", "two"):
        shutil.copytree(models.other, tmp_path / name)
    tried: list[str] = []
    found = charlm.tune(
        tmp_path / "one",
        tokens=120,
        report=lambda what, _: tried.append(what),
        cache=200,
        dynamic="sgd",
        dynamic_lr=0.05,
    )
    words = ("--tokens", 120, "--cache", 200, "--dynamic", "sgd", "--dynamic-lr", 0.05)
    ended = succeed("tune", "-m", tmp_path / "two", *words, "--json")
    assert ended.json == found.to_json()
    assert file_beside(tmp_path / "one").read_bytes() == file_beside(tmp_path / "two").read_bytes()
    assert any("lr 0.05, decay" in what for what in tried)
    assert all(what in ended.err for what in tried)
    assert not [what for what in tried if "lr 0.05," not in what and "decay" in what]
    assert charlm.load(tmp_path / "one").adapted(tuned=True).score("river").tokens


def test_a_text_may_be_named(models: Models, own: Path) -> None:
    Path("text.txt").write_text("river river river bridge.\n" * 20, encoding="utf-8")
    ended = succeed("tune", "text.txt", "-m", own, "--cache", 50, "--tokens", 100)
    assert "on text.txt, 100 tokens" in ended.out.decode()
    assert f"kept in {own / 'adaptation.safetensors'}" in ended.out.decode()
    about = succeed("info", "-m", own, "--json").json["tuned"]
    assert about["dynamic"] is about["ngrams"] is about["models"] is None
    found = charlm.tune(own, text="river river river bridge.\n" * 20, cache=50, tokens=100)
    assert found.results[-1].nats_per_token == pytest.approx(about["results"][-1]["nats_per_token"])
    assert models.model != own


def test_numbers_that_are_given_stay(own: Path, models: Models) -> None:
    words = ("--dynamic", "sgd", "--dynamic-lr", 0.02, "--dynamic-decay", 0.03, "--dynamic-segment", 6)
    more = ("--cache", 64, "--cache-theta", 0.125, "--cache-share", 0.0625, "--ngrams", models.counts)
    last = ("--ngram-share", 0.375, "--mix", models.other, "--weights", 0.25)
    found = succeed("tune", "-m", own, "--tokens", 100, *words, *more, *last, "--json").json
    kept = Adaptation.from_json({key: found[key] for key in ("dynamic", "cache", "ngrams", "models")})
    counts, mixed = Counts(str(models.counts), 0.375), Mixed([str(models.other)], [0.25])
    assert kept == Adaptation(Dynamic("sgd", 0.02, 0.03, 6), Cache(64, 0.125, 0.0625), counts, mixed)
    scored = call("eval", "-m", own, "--tuned", "--json").json
    assert len(found["results"]) == 4
    assert math.isfinite(scored["nats"])


def test_the_search_goes_on_as_long_as_it_helps(models: Models, wordy: Trained) -> None:
    """No neighbour of what is found is better, and with no time left nothing is tried."""
    model = load_model(models.model)
    ids = part_given(model, wordy.corpus, None).ids[:120]
    tried: dict[str, float] = {}
    search = Search(model, ids, ids, tried.__setitem__)
    begin = Dynamic("sgd", lr=0.004, decay=0.001, segment=10)
    found = search.best(begin, ["lr"], in_time=lambda: True)
    assert found.nats < min(tried.values()) + GAIN
    assert found.config.lr > begin.lr
    assert found.config == replace(begin, lr=found.config.lr)
    for lr in (found.config.lr / 2, found.config.lr * 2):
        (nats,) = [nats for what, nats in tried.items() if f"lr {lr:.3g}," in what]
        assert nats > found.nats - GAIN
    high = replace(begin, lr=5.0)
    assert search.best(high, ["lr"], in_time=lambda: True).config.lr < high.lr
    tried.clear()
    assert search.best(begin, ["lr"], in_time=lambda: False).config == begin
    assert len(tried) == 1
    best = search.best(replace(begin, segment=160, decay=0.5), ["decay", "segment"], in_time=lambda: True).config
    assert best.segment <= 160
    assert best.decay <= 1


def test_mean_squares_are_those_of_training_text(models: Models, wordy: Trained) -> None:
    model = load_model(models.model)
    before = model.network.parameters.gradient_values.copy()
    part = part_given(model, wordy.corpus, None)
    some = replace(part, ids=part.ids[:60])
    how = {"dynamic": "rms", "dynamic_lr": 0.001, "dynamic_decay": 0.01, "dynamic_segment": 5}
    one = tune_model(model, how, lambda: Material("a text", some, part), Budget(100))
    other = tune_model(model, how, lambda: Material("a text", some), Budget(100))
    assert one.mean_squares is not None
    assert other.mean_squares is not None
    assert not np.array_equal(one.mean_squares, other.mean_squares)
    np.testing.assert_array_equal(model.network.parameters.gradient_values, before)


def test_a_cache_is_judged_as_it_works(models: Models, wordy: Trained) -> None:
    """What every size and theta is tried on gives what the predictor gives; the share is the best of them."""
    model = load_model(models.model)
    ids = part_given(model, wordy.corpus, None).ids[:90]
    seen = recorded(NetworkPredictor(model.network), ids, model.line_end, keep=True)
    plain = log_probabilities_of(_begun(NetworkPredictor(model.network)), ids)
    np.testing.assert_allclose(seen.log_probabilities, plain)
    logs = cache_log_probabilities(seen, ids, [40, 7], [0.2, 0.9])
    for row, size in enumerate((40, 7)):
        for column, theta in enumerate((0.2, 0.9)):
            cache = Cache(size, theta, 0.3)
            found = log_probabilities_of(_begun(CachePredictor(NetworkPredictor(model.network), cache)), ids)
            np.testing.assert_allclose(cached(plain, logs[row, column], 0.3), found, rtol=1e-5)
    fit = best_cache(seen, ids, Cache(400, 0.3, 0.1), theta=True, share=True)
    assert fit.config.size in (400, 200, 100)
    each = [best_cache(seen, ids, Cache(99, theta, 0.1), theta=False, share=True).nats for theta in THETAS]
    assert fit.nats == pytest.approx(min(each))
    assert fit.nats < max(each)
    for share in (fit.config.share * 0.9, fit.config.share * 1.1):
        other = cached(plain, fit.log_probabilities, share)
        assert -float(other.mean()) > fit.nats
    stays = best_cache(seen, ids, Cache(80, 0.7, 0.2), theta=False, share=False).config
    assert stays == Cache(80, 0.7, 0.2)


def test_weights_are_fitted_all_at_once(models: Models, wordy: Trained) -> None:
    """No change of a single one makes the text cost less; the predictor built so gives the same cost."""
    generator = np.random.default_rng(3)
    network, cache, others = (np.log(generator.uniform(0.01, 1, shape)) for shape in (300, 300, (300, 2)))
    how = Adaptation(cache=Cache(9, 0.3, 0.5), ngrams=Counts("c", 0.1), models=Mixed(["m"], [0.1]))
    found, nats = fitted_mixture(how, network, cache, others, ())

    def cost(share: float, first: float, second: float) -> float:
        own = (1 - first - second) * ((1 - share) * np.exp(network) + share * np.exp(cache))
        return -float(np.log(own + first * np.exp(others[:, 0]) + second * np.exp(others[:, 1])).mean())

    assert found.cache is not None
    assert found.ngrams is not None
    assert found.models is not None
    best = (found.cache.share, found.ngrams.weight, found.models.weights[0])
    assert nats == pytest.approx(cost(*best), rel=1e-9)
    for place in range(3):
        for change in (-0.01, 0.01):
            moved = [value + change * (place == k) for k, value in enumerate(best)]
            assert cost(*moved) > nats
    stays, _ = fitted_mixture(how, network, cache, others, {"cache_share"})
    assert stays.cache == how.cache
    assert stays.ngrams != how.ngrams
    given, nats = fitted_mixture(how, network, cache, others, {"ngram_share"})
    assert given == how
    assert nats == pytest.approx(cost(0.5, 0.1, 0.1))
    assert models.corpus == wordy.corpus


def _begun(predictor: CachePredictor | NetworkPredictor) -> CachePredictor | NetworkPredictor:
    predictor.start()
    return predictor


def test_models_under_a_label_adapt(tmp_path: Path) -> None:
    Path("labels.txt").write_text("sad\tgo away\nhappy\tcome in\n" * 30, encoding="utf-8")
    succeed("train", "labels.txt", "--labels", "--model", tmp_path / "labels", *QUICK, "--steps", 20)
    words = ("--dynamic", "sgd", "--dynamic-segment", 2, "-m", tmp_path / "labels")
    happy = succeed("score", "go away", "--label", "happy", "--json", *words).json["logprob"]
    sad = succeed("score", "go away", "--label", "sad", "--json", *words).json["logprob"]
    assert happy != sad
    assert charlm.load(tmp_path / "labels").adapted(label="sad", dynamic="sgd", dynamic_segment=2).score(
        "go away"
    ).logprob == pytest.approx(sad)
    one_message(call("eval", *words), 2, "labels", "--label")
    assert succeed("sample", "--label", "sad", "--seed", 1, *words).out
