"""What the table of tricks promises: both sides of each do the same work. Nothing here depends on a time."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import command, tricks
from bench.trick import LayerWindow, Pair, Result, Sizes, Trick
from bench.tricks import HEAD, SIZES, TRICKS, Times, compare, milliseconds, row, table
from bench.window_tricks import folded, softmax_blocks

import charlm
from charlm.training import optimizers

TINY = Sizes(vocabulary=5, embedding=3, layers=1, hidden=20, window=10, batch=7)
"""More units than a strip has rows, and more columns than the narrowest block of the softmax."""


def result(*numbers: float) -> Result:
    return [np.array(numbers, np.float32)]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_both_sides_come_to_the_same_numbers(trick: Trick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "BLOCK", 100)
    times = compare(trick.pair(TINY), rounds=1)
    assert min(times.engine, times.plain) > 0
    assert (Path(charlm.__file__).parent / trick.where).is_file()


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_a_side_can_be_run_again_after_the_other(trick: Trick) -> None:
    """What one overwrites is put back, and neither hands over the other's numbers."""
    pair = trick.pair(TINY)
    for run in (pair.plain, pair.engine, pair.engine):
        pair.prepare()
        before = [np.array(each) for each in run()]
    if trick.where != "training/optimizers.py":  # whose steps add up
        pair.prepare()
        pair.agree([np.array(each) for each in pair.plain()], before)


def test_results_that_differ_stop_the_measuring() -> None:
    with pytest.raises(AssertionError, match="Mismatched"):
        compare(Pair(lambda: result(1, 1000), lambda: result(1.1, 1000)), 1)
    compare(Pair(lambda: result(1, 1000), lambda: result(1.01, 1000)), 1)


def test_results_in_shared_memory_are_still_told_apart() -> None:
    shared = np.zeros(1)

    def write(number: float) -> Result:
        shared[:] = number
        return [shared]

    with pytest.raises(AssertionError, match="Mismatched"):
        compare(Pair(lambda: write(1), lambda: write(2)), 1)


def test_sides_take_turns_each_prepared_and_each_first_every_other_time(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def noted(word: str) -> Result:
        happened.append(word)
        return result(1)

    monkeypatch.setattr(tricks, "WARM_UP", 1)
    compare(Pair(lambda: noted("engine"), lambda: noted("plain"), lambda: happened.append("prepare")), rounds=3)
    sides = ["engine", "plain"] + 2 * ["engine", "plain", "plain", "engine"]
    assert happened == [word for side in sides for word in ("prepare", side)]


def test_times_are_medians_without_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"engine": iter([99, 99, 1, 3, 8]), "plain": iter([99, 99, 2, 1, 9])}
    monkeypatch.setattr(tricks, "milliseconds", lambda run, _: next(found["plain" if run is plain else "engine"]))

    def plain() -> Result:
        return result(1)

    assert compare(Pair(lambda: result(1), plain), rounds=3) == Times(3, 2, 2 / 3)


def test_what_prepares_a_run_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def pass_seconds(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("bench.tricks.time.perf_counter", lambda: now[0])
    assert milliseconds(lambda: pass_seconds(2), lambda: pass_seconds(5)) == 2000


def _same() -> Result:
    return result(1)


@pytest.mark.parametrize(
    ("fields", "more", "times", "expected"),
    [
        ({}, {}, Times(2, 6, 1.0), "| name | `nn/x.py` | 2.00 | 6.00 | 4.00 | 20.0 % |"),
        ({}, {}, Times(6, 2, 0.25), "| name | `nn/x.py` | 6.00 | 2.00 | -4.00 | -20.0 % |"),
        ({}, {}, Times(2, 3, 0.7), "| name | `nn/x.py` | 2.00 | 3.00 | 1.00 (noise) | 5.0 % |"),
        ({}, {}, Times(3, 2, 0.3), "| name | `nn/x.py` | 3.00 | 2.00 | -1.00 (noise) | -5.0 % |"),
        (
            {},
            {"memory": 33_554_432},
            Times(2, 6, 1),
            "| name (saves 33.6 MB) | `nn/x.py` | 2.00 | 6.00 | 4.00 | 20.0 % |",
        ),
        (
            {"trains": False},
            {"tokens": 4096},
            Times(2, 4, 1),
            "| name (2,048,000 against 1,024,000 characters/s) | `nn/x.py` | 2.00 | 4.00 | 2.00 |  |",
        ),
    ],
)
def test_a_row_says_what_a_trick_brings(
    fields: dict[str, Any], more: dict[str, Any], times: Times, expected: str
) -> None:
    trick = Trick("name", "nn/x.py", lambda _: Pair(_same, _same), **fields)
    assert row(trick, Pair(_same, _same, **more), times, 20.0) == expected


def test_every_trick_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    tricks.main(["--rounds", "1"], [TINY])
    title, _, head, rule, *rows, end = capsys.readouterr().out.split("\n")[:-1]
    assert title.startswith("LSTM 1 x 20, vocabulary 5, 10 x 7; a training step takes ")
    assert head == f"| {' | '.join(HEAD)} |"
    assert rule == "| --- | --- | --- | --- | --- | --- |"
    assert end == ""
    assert [line.count("|") for line in rows] == [7] * len(TRICKS)
    for line, trick in zip(rows, TRICKS, strict=True):
        assert line.startswith(f"| {trick.name}")


def test_a_large_vocabulary_has_the_rows_that_depend_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tricks, "LARGE", TINY.vocabulary)
    rows = [line for line in table(TINY, 1) if line.endswith(" % |")]
    assert [line.partition(" in ")[0] for line in rows] == ["| Optimiser", "| Softmax"]


def test_the_sizes_are_those_that_the_benchmark_trains() -> None:
    assert [each.label for each in SIZES] == [
        "LSTM 1 x 512, vocabulary 65, 64 x 64",
        "LSTM 1 x 128, vocabulary 65, 50 x 50",
        "LSTM 2 x 200, vocabulary 10,000, 35 x 20",
    ]


def test_a_window_is_what_the_lstm_leaves() -> None:
    """One-hot inputs, ones for the bias, gates in their ranges: numbers as training has them."""
    tape, H = LayerWindow(TINY).tape, TINY.hidden
    np.testing.assert_array_equal(tape.x.sum(axis=1), 1)
    np.testing.assert_array_equal(tape.inputs[:, -1], 1)
    assert 0 <= tape.gates[:, : 3 * H].min() <= tape.gates.max() < 1
    assert tape.gates[:, 3 * H :].min() < 0
    np.testing.assert_array_equal(tape.tanh_cells, np.tanh(tape.cells[1:]))


def test_only_the_side_without_the_trick_gathers_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("charlm.nn.stack.write_gathered", gather)
    pair = folded(TINY)
    pair.engine()
    with pytest.raises(NotImplementedError):
        pair.plain()


def test_the_softmax_in_blocks_makes_no_second_array_of_logits() -> None:
    """Its scratch is there before; passes one after another make the logits, their exponentials and more."""
    memory = softmax_blocks(TINY._replace(vocabulary=5000)).memory
    assert memory > 70 * 5000 * 4


def test_rounds_that_make_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["tricks", "--rounds", "0"])
    assert "--rounds is 0: it must be at least 1" in capsys.readouterr().err


def test_it_runs_as_a_folder() -> None:
    words = [sys.executable, str(Path(command.__file__).parent), "tricks", "--help"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "python tests/bench tricks" in text
    assert "What each trick of the engine brings" in text
