"""What options that adapt refuse: numbers, what does not go together, and models that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapting_cases import Models, tuned_models
from cli_cases import Trained, call, one_message

import charlm
from charlm.errors import UsageError

SGD = {"dynamic": "sgd", "dynamic_lr": 0.1, "dynamic_decay": 0.01, "dynamic_segment": 4}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, wordy: Trained) -> Models:
    return tuned_models(tmp_path_factory.mktemp("adapting"), wordy)


WRONG = [
    (("--dynamic", "adam"), "--dynamic is 'adam'", "sgd, rms"),
    (("--dynamic", "sgd", "--dynamic-lr", "-1"), "learning rate", "at least 0"),
    (("--dynamic", "sgd", "--dynamic-decay", "2"), "decay", "at most 1"),
    (("--dynamic", "sgd", "--dynamic-segment", "0"), "segment", "at least 1"),
    (("--dynamic-lr", "1"), "--dynamic-lr", "only with --dynamic"),
    (("--cache", "0"), "size of the cache is 0", "at least 1"),
    (("--cache", "5", "--cache-theta", "-1"), "theta of the cache", "at least 0"),
    (("--cache", "5", "--cache-share", "1"), "share of the cache", "below 1"),
    (("--cache-share", "0.5"), "--cache-share", "only with --cache"),
    (("--mix", "a", "--weights", "x"), "--weights is 'x'", "0.3,0.2"),
    (("--mix", "a", "--weights", "0.5,0.2"), "--weights has 2", "1 models"),
    (("--mix", "a", "--weights", "1.5"), "weight of a model is 1.5", "below 1"),
    (("--mix", "a", "--mix", "b", "--weights", "0.5,0.5"), "leave nothing to the network"),
    (("--weights", "0.5"), "--weights", "only with --mix"),
    (("--ngrams", "c", "--ngram-share", "1"), "weight of the n-grams is 1", "below 1"),
    (("--ngram-share", "0.5"), "--ngram-share", "only with --ngrams"),
    (("--tuned", "--dynamic", "adam"), "--dynamic is 'adam'"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
@pytest.mark.parametrize("command", [("score", "a"), ("eval",), ("rank", "a", "b"), ("sample",), ("tune",)])
def test_wrong_numbers_are_refused_before_a_model_is_looked_for(command: tuple[str, ...], number: int) -> None:
    words, *mentioned = WRONG[number]
    if command == ("tune",) and "--tuned" in words:
        words = words[1:]
    one_message(call(*command, *words, "-m", "nowhere"), 2, *mentioned)


@pytest.mark.parametrize(
    "command",
    [
        ("score", "a", "--posterior"),
        ("score", "a", "--heatmap", "a.html"),
        ("eval", "--labels"),
        ("sample", "--beams", 2),
        ("sample", "--match", "a"),
        ("sample", "--fill", "a___"),
        ("sample", "-i"),
        ("sample", "--show-probs"),
        ("sample", "--html", "a.html"),
    ],
)
def test_what_is_of_the_trained_model_goes_with_nothing_that_adapts(command: tuple[object, ...]) -> None:
    flag = str(command[1] if command[0] != "score" else command[2])
    one_message(
        call(*command, "--cache", 5, "-m", "nowhere"), 2, f"{flag} is of the model as it was trained", "--cache"
    )


def test_models_that_do_not_fit_are_refused(models: Models, names: Trained, prose: Trained) -> None:
    score = ("score", "river", "-m", models.model)
    one_message(call(*score, "--mix", prose.folder), 2, "model 2 of the mixture reads texts otherwise", "--level")
    one_message(call(*score, "--mix", "nowhere"), 4, "no model at nowhere")
    one_message(call(*score, "--ngrams", "nowhere"), 4, "no model at nowhere")
    one_message(call(*score, "--ngrams", models.other), 4, "n-gram model")
    one_message(call(*score, "--mix", models.counts), 4, "n-gram model")
    one_message(call("score", "ba", "-m", names.folder, "--tuned"), 4, "nothing was tuned", "charlm tune --model")
    one_message(call("score", "ba", "-m", names.folder, "--dynamic", "rms"), 2, "mean squares", "charlm tune", "sgd")


def test_a_learning_rate_that_is_too_large_is_named(names: Trained) -> None:
    Path("long.txt").write_text("ba" * 2000 + "\n", encoding="utf-8")
    command = ("eval", "long.txt", "-m", names.folder, "--dynamic", "sgd")
    ended = call(*command, "--dynamic-lr", 1e30, "--dynamic-decay", 0)
    one_message(ended, 4, "learning rate is too large")


def test_python_refuses_what_the_command_line_refuses(models: Models) -> None:
    model = charlm.load(models.model)
    for options, said in (
        ({}, "nothing adapts"),
        ({"tuned": False}, "nothing adapts"),
        ({"dinamic": "rms"}, "dinamic"),
        ({"cache_share": 0.5}, "--cache-share"),
    ):
        with pytest.raises(UsageError, match=said):
            model.adapted(**options)
    with pytest.raises(UsageError, match="not read from a file"):
        charlm.Model(model.trained).adapted(tuned=True)
