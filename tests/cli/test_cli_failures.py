"""Loss or gradient that is not finite: steps that change nothing, the way back to good weights, and the end."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, call, contents, names_text, one_message, prose_text, succeed

from charlm.checkpoint import load_model
from charlm.nn.language_model import LanguageModel
from charlm.training.trainer import MOST_FAILURES, MOST_RETURNS

STEPS = 40


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A list of names, where the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("names.txt").write_text(names_text())
    return "names.txt"


class Failing:
    """Makes the loss or a gradient of some steps not finite, counted over the process, as bad luck would have it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: set[int], value: float = np.nan) -> None:
        self.done = 0
        self.before: list[np.ndarray] = []
        right = LanguageModel.loss_and_gradients

        def wrong(model: LanguageModel, *arguments: Any, **more: Any) -> Any:
            loss, states, d_states = right(model, *arguments, **more)
            self.done += 1
            self.before.append(model.parameters.values.copy())
            if self.done in steps:
                # A loss that is not finite comes with gradients that are not; a gradient may come alone.
                model.parameters.gradient_values[3] = value
                loss = loss if np.isinf(value) else value
            return loss, states, d_states

        monkeypatch.setattr(LanguageModel, "loss_and_gradients", wrong)


def log_of(folder: str, event: str) -> list[Any]:
    """The objects of one kind in a log."""
    found = [json.loads(line) for line in Path(folder, "log.jsonl").read_bytes().splitlines()]
    return [each for each in found if each["event"] == event]


@pytest.mark.parametrize(("value", "what"), [(np.nan, "loss"), (np.inf, "gradient")])
def test_a_step_that_is_not_finite_changes_nothing(
    value: float, what: str, corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(monkeypatch, {7, 8}, value)
    ended = succeed("train", corpus, "--model", "model", *QUICK[:-1], "--steps", STEPS)
    np.testing.assert_array_equal(failing.before[6], failing.before[7])
    np.testing.assert_array_equal(failing.before[6], failing.before[8])
    assert not np.array_equal(failing.before[8], failing.before[9])
    assert [(each["step"], each["what"]) for each in log_of("model", "skipped")] == [(7, what), (8, what)]
    assert sum(each["skipped"] for each in log_of("model", "validation")) == 2
    assert f"step 7 changed nothing: its {what} is not finite" in ended.err
    assert "2 steps changed nothing" in ended.err
    assert log_of("model", "validation")[-1]["step"] == STEPS


def test_spoilt_weights_go_back_to_the_best(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With half the learning rate, which all later steps keep."""
    failing = Failing(monkeypatch, set(range(25, 25 + MOST_FAILURES)))
    options = (
        "--steps",
        STEPS,
        "--eval-every",
        10,
        "--schedule",
        "constant",
        "--lr",
        0.01,
        "--warmup",
        0,
        "--average",
        "none",
    )
    ended = succeed("train", corpus, "--model", "model", *QUICK[:-1], *options)
    (back,) = log_of("model", "returned")
    best = log_of("model", "validation")[1]
    assert best["best"]
    assert (back["step"], back["best_step"], back["lr_share"]) == (24 + MOST_FAILURES, best["step"], 0.5)
    # The weights behind step 20 are those before the 21st.
    np.testing.assert_array_equal(failing.before[24 + MOST_FAILURES], failing.before[20])
    assert [each["lr"] for each in log_of("model", "validation")] == [0.01, 0.01, 0.005, 0.005]
    assert "goes back to the weights of step 20 and on with 0.5 of the learning rate" in ended.err


def test_without_a_validation_a_run_goes_back_to_its_beginning(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(monkeypatch, set(range(3, 3 + MOST_FAILURES)))
    succeed("train", corpus, "--model", "model", *QUICK, "--steps", STEPS)
    assert log_of("model", "returned")[0]["best_step"] == 0
    np.testing.assert_array_equal(failing.before[2 + MOST_FAILURES], failing.before[0])


def test_a_run_without_hope_ends_with_its_best_model(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Failing(monkeypatch, set(range(25, 10_000)))
    options = ("--steps", 1000, "--eval-every", 10)
    message = one_message(call("train", corpus, "--model", "model", *QUICK, *options), 6, "--lr", "kept")
    assert f"step {24 + MOST_FAILURES * (MOST_RETURNS + 1)}" in message
    assert len(log_of("model", "returned")) == MOST_RETURNS
    assert load_model(Path("model")).record["step"] == 20
    assert call("sample", "--model", "model").status == 0


def test_a_run_without_hope_from_the_first_step(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Failing(monkeypatch, set(range(1, 10_000)))
    one_message(call("train", corpus, "--model", "model", *QUICK, "--steps", 1000), 6, "--lr")


@pytest.mark.parametrize("stop", [24, 26, 24 + MOST_FAILURES, 25 + MOST_FAILURES, 33])
def test_a_run_that_went_back_is_stopped_and_ends_as_one_that_was_not(
    stop: int, corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = set(range(25, 25 + MOST_FAILURES))
    options = ("--steps", STEPS, "--eval-every", 10, *QUICK)
    with monkeypatch.context() as patch:
        Failing(patch, bad)
        succeed("train", corpus, "--model", "once", *options)
    with monkeypatch.context() as patch:
        failing = Failing(patch, bad)
        succeed("train", corpus, "--model", "twice", *options, "--stop-at", stop)
        assert failing.done == stop
        succeed("train", "--resume", "--model", "twice", "--quiet")
    assert contents(Path("once"))["model.safetensors"] == contents(Path("twice"))["model.safetensors"]


@pytest.fixture
def spoiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step after which the weights are not finite."""
    right, done = LanguageModel.loss_and_gradients, 0

    def wrong(model: LanguageModel, *arguments: Any, **more: Any) -> Any:
        nonlocal done
        done += 1
        if done == 25:
            model.parameters.values[3] = np.inf
        return right(model, *arguments, **more)

    monkeypatch.setattr(LanguageModel, "loss_and_gradients", wrong)


@pytest.mark.usefixtures("spoiling")
def test_weights_that_are_not_finite_are_never_saved(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where every step saves."""
    monkeypatch.setattr("charlm.training.run.SAVE_SECONDS", 0)
    succeed("train", corpus, "--model", "model", *QUICK, "--steps", STEPS, "--eval-every", 10)
    assert len(log_of("model", "returned")) == 1
    assert np.isfinite(load_model(Path("model")).network.parameters.values).all()


@pytest.mark.usefixtures("spoiling")
def test_a_run_that_is_stopped_with_spoilt_weights_keeps_the_good_ones(corpus: str) -> None:
    options = ("--steps", STEPS, "--eval-every", 10)
    succeed("train", corpus, "--model", "model", *QUICK, *options, "--stop-at", 26)
    assert load_model(Path("model")).record["step"] == 20
    succeed("train", "--resume", "--model", "model", "--quiet")
    assert log_of("model", "finished")


@pytest.mark.parametrize("options", ["--lr 1e30 --clip 1e30", "--lr 1e4 --clip 1e9 --optimizer sgd --cell rnn"])
def test_a_learning_rate_beyond_reason_ends_in_a_good_model_or_a_message(options: str) -> None:
    """For real: nothing is planted."""
    Path("prose.txt").write_text(prose_text())
    ended = call("train", "prose.txt", "--model", "model", *QUICK, "--steps", 150, *options.split())
    assert ended.status in (0, 6)
    if ended.status:
        one_message(ended, 6, "--lr")
    if Path("model/model.safetensors").exists():
        assert np.isfinite(load_model(Path("model")).network.parameters.values).all()


def test_clipped_steps_and_spikes_are_counted(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, done = LanguageModel.loss_and_gradients, 0

    def jumping(model: LanguageModel, *arguments: Any, **more: Any) -> Any:
        nonlocal done
        done += 1
        loss, states, d_states = right(model, *arguments, **more)
        return loss * (3 if done in (20, 70, 71) else 1), states, d_states

    monkeypatch.setattr(LanguageModel, "loss_and_gradients", jumping)
    options = ("--steps", 80, "--eval-every", 40)
    succeed("train", corpus, "--model", "model", *QUICK, *options, "--clip", 1e-6)
    first, second = log_of("model", "validation")
    assert (first["spikes"], second["spikes"]) == (0, 2)  # the first steps' losses say too little
    assert (first["clipped"], second["clipped"]) == (1, 1)
    succeed("train", corpus, "--model", "other", *QUICK, *options, "--clip", 1e6)
    assert log_of("other", "validation")[0]["clipped"] == 0
