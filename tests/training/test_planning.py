"""Runs bound by time are sized by what the machine can read in their time."""

from pathlib import Path

import pytest

import charlm
from charlm.config import ModelConfig
from charlm.train_config import TrainConfig
from charlm.training.choices import SPEED, model_options
from charlm.training.defaults import ADAPTIVE_FROM
from charlm.training.planning import reference_sizes, timed_sizes
from charlm.training.presets import default_sizes
from charlm.training.speed import training_speed

LEVELS = ["char", "byte", "word", "token"]


@pytest.mark.parametrize("level", LEVELS)
def test_more_time_makes_no_smaller_model_and_no_less_dropout(level: str) -> None:
    found = [timed_sizes(10**6, level, 2.0**k, 30_000) for k in range(14)]
    assert [each.hidden for each in found] == sorted(each.hidden for each in found)
    assert found[-1].hidden > found[0].hidden
    same = [each for each in found if each.hidden == found[-1].hidden]
    assert [each.dropout for each in same] == sorted(each.dropout for each in same)
    assert same[-1].dropout == 0.5


@pytest.mark.parametrize("level", LEVELS)
def test_a_machine_twice_as_fast_needs_half_the_time(level: str) -> None:
    for k in range(14):
        assert timed_sizes(10**6, level, 2.0**k, 30_000) == timed_sizes(10**6, level, 2.0 ** (k - 1), 60_000)


@pytest.mark.parametrize("level", LEVELS)
def test_a_short_text_keeps_its_sizes_and_its_rate(level: str) -> None:
    """However long it is read, the best mean of weights is what stays."""
    found, usual = timed_sizes(10**4, level, 3600, 30_000), default_sizes(10**4, level)
    assert (found.hidden, found.dropout, found.optimizer) == (usual.hidden, usual.dropout, usual.optimizer)
    assert (found.schedule, found.average) == ("constant", "ema")


@pytest.mark.parametrize("model", [{}, {"cell": "gru", "layers": 2}, {"vocabulary": 200, "softmax": "adaptive"}])
def test_speed_is_that_of_steps_of_the_model(model: dict[str, object]) -> None:
    config = ModelConfig(**{"vocabulary": 9, "hidden": 16, "embedding": 4, **model})  # type: ignore[arg-type]
    speed = training_speed(config, TrainConfig(window=8, batch=3, seconds=1e-9))
    assert 0 < speed < 1e9


@pytest.mark.parametrize("level", LEVELS)
def test_the_reference_is_one_of_the_plans(level: str) -> None:
    sizes = reference_sizes(level)
    assert sizes.hidden in {timed_sizes(10**7, level, 2.0**k, 30_000).hidden for k in range(14)}


def test_a_record_says_by_which_speed_its_run_was_planned(tmp_path: Path) -> None:
    text = "one two three\n" * 50
    timed = charlm.train(text=text, hidden=8, embedding=4, window=8, batch=2, time=1, folder=tmp_path / "a")
    assert timed.trained.record[SPEED] > 0
    by_steps = charlm.train(text=text, hidden=8, embedding=4, window=8, batch=2, steps=2)
    assert SPEED not in by_steps.trained.record


TIED = reference_sizes("word")


def test_words_are_tied_where_nothing_stands_against_it() -> None:
    found = model_options({}, TIED, 5_000)
    assert (found["tied"], found["hidden"], found["softmax"]) == (True, found["embedding"], "full")
    assert model_options({"hidden": 40}, TIED, 5_000)["embedding"] == 40
    assert model_options({"hidden": 40, "embedding": 40}, TIED, 5_000)["tied"]


@pytest.mark.parametrize(
    ("options", "vocabulary"),
    [
        ({"embedding": 30}, 5_000),
        ({"hidden": 40, "embedding": 30}, 5_000),
        ({"softmax": "adaptive"}, 5_000),
        ({"hidden": 200}, ADAPTIVE_FROM),
        ({"tied": False}, 5_000),
    ],
)
def test_words_are_not_tied_where_something_does(options: charlm.Options, vocabulary: int) -> None:
    found = model_options(options, TIED, vocabulary)
    assert not found["tied"]
    assert found["embedding"] == options.get("embedding", TIED.embedding)
    ModelConfig(**{"vocabulary": vocabulary, **found})
