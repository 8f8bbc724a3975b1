"""What the benchmark promises: its cases, its figures, and where they go. Nothing here depends on a time."""

import json
from inspect import signature
from typing import Any, Self

import numpy as np
import pytest
from bench import charlm_engine, commands_engine, measuring
from bench.cases import KERNELS, ROWS, TABLES, Case, Plan, Side, every_case
from bench.charlm_engine import arithmetic, random_model, streams_of
from bench.measuring import Turns, Worker, WorkerError, environment, measure
from bench.report import BEGIN, END, Outcome, number, report, spliced
from bench.results import Result, as_json, result_of
from bench.texts import lines

from charlm.config import ModelConfig

TINY: dict[str, Any] = {
    "cell": "lstm",
    "vocabulary": 5,
    "embedding": 3,
    "hidden": 4,
    "layers": 1,
    "window": 3,
    "batch": 2,
}
TINY_CASE = Case("tiny", "train", Side("charlm", "training", TINY), Side("charlm", "training", TINY), 2.0)


def case_of(table: str, floor: float = 2.0, **more: Any) -> Case:
    """A case that nobody runs."""
    return Case("made up", table, Side("charlm", "", {}), Side("torch", "", {}), floor, **more)


FLOORS = {
    "65, 2x128, 50x50": (128, (1.1, 2, 2)),
    "65, 1x256, 64x64": (256, (1.5, 2, 2)),
    "65, 1x512, 64x64": (512, (1.6, 2, 2)),
    "65, 2x512, 64x64": (512, (1.35, 2, 1.8)),
    "10000, 2x200, 35x20": (200, (2.2, 2.5, 2)),
    "65, 1x1024, 64x64": (1024, (1.1, 1.5, 1.3)),
}


@pytest.mark.parametrize("kernels", ["AVX-512", "AVX2"])
def test_every_size_is_trained_with_every_cell(kernels: str) -> None:
    found = {each.name: each.floor for each in every_case() if each.table == "train"}
    for label, (embedding, (lstm, gru, rnn)) in FLOORS.items():
        for cell, floor in {"lstm": lstm, "gru-before": gru, "gru-after": gru, "rnn": rnn}.items():
            name = f"train {cell} {label}, embedding {embedding}, {kernels}"
            assert found[name] == pytest.approx(floor if kernels == "AVX-512" else 0.9 * floor)
    assert len(found) == 2 * 4 * len(FLOORS)
    assert [row.label for row in ROWS] == list(FLOORS)


def test_the_other_tables_have_their_cases() -> None:
    found = {each.name: each.floor for each in every_case("armv8") if not each.table.startswith("train")}
    assert found == {
        "share of sgemm, lstm 65, 1x512, 64x64": 0.7,
        "sample lstm 2x128": 8,
        "sample lstm 2x512": 8,
        "sample 64 streams, lstm 2x128": 8,
        "sample 64 streams, lstm 2x512": 4,
        "score lstm 1x512": 1.1,
        "score gru-after 1x512": 2,
        "start charlm --help": 1,
        "start charlm sample": 1,
        "memory lstm 65, 2x512, 64x64, embedding 128": 1,
    }


def test_cases_have_names_and_tables_of_their_own() -> None:
    cases = every_case()
    assert len({each.name for each in cases}) == len(cases)
    assert {each.table for each in cases} == set(TABLES)
    assert {each.kernels == {} for each in cases if ", AVX2" not in each.name} == {True}
    assert all(each.kernels == KERNELS["AVX2"] for each in cases if ", AVX2" in each.name)
    assert any(each.name.endswith("armv8") for each in every_case("armv8"))
    # With a large vocabulary nothing is folded: there the embedding costs both sides something.
    assert all(" 65, " in each.name for each in cases if each.table == "train-128")


def test_both_sides_of_training_have_the_same_sizes() -> None:
    for each in every_case():
        if each.table in ("train", "train-128", "score", "sample", "memory"):
            assert each.charlm.arguments == each.peer.arguments
            assert (each.charlm.engine, each.peer.engine) == ("charlm", "torch")


def test_every_side_can_be_made_of_its_arguments() -> None:
    """PyTorch's sides are charlm's, but for their engine."""
    engines = {"charlm": charlm_engine, "torch": charlm_engine, "commands": commands_engine}
    for case in every_case():
        for side in (case.charlm, case.peer):
            signature(getattr(engines[side.engine], side.task)).bind(**side.arguments)
            assert json.loads(json.dumps(side.arguments)) == side.arguments


def test_no_side_counts_fewer_than_twenty_steps() -> None:
    for each in every_case():
        if each.table not in ("start", "memory", "score"):
            assert each.plan.least * (each.plan.steps - 1) >= 20
    assert {each.plan.least * (each.plan.steps - 1) for each in every_case() if each.table == "start"} == {15}
    # A step scores a whole file.
    assert {each.plan.least * (each.plan.steps - 1) for each in every_case() if each.table == "score"} == {8}


def test_turns_go_on_until_there_are_enough_of_them_and_of_seconds() -> None:
    plan = Plan(least=2, most=4, seconds=10)
    assert plan.goes_on(1, 99)
    assert not plan.goes_on(2, 99)
    assert plan.goes_on(3, 1)
    assert not plan.goes_on(4, 1)


def test_times_are_medians_and_the_ratio_that_of_the_peer_to_charlm() -> None:
    found = result_of(case_of("train"), Turns([[1, 2], [3, 9, 3]], [[6, 6], [3, 6, 6]], 100, 300))
    assert (found.charlm, found.peer, found.ratio) == (3000, 6000, 2)
    assert (found.low, found.high) == (2, 4)
    assert (found.unit, found.charlm_mb, found.peer_mb) == ("ms", 100, 300)
    assert found.reached


def test_rates_are_better_when_they_are_higher() -> None:
    """Half the seconds a character are twice the characters a second."""
    found = result_of(case_of("sample", 2.1), Turns([[0.25]], [[0.5]], 1, 1))
    assert (found.charlm, found.peer, found.ratio, found.reached) == (4, 2, 2, False)


def test_the_share_is_of_the_fastest_product() -> None:
    found = result_of(case_of("share", 0.5), Turns([[1.0], [0.25], [0.5]], [[0.3, 0.25], [0.125, 0.5], [9]], 1, 1))
    assert (found.charlm, found.peer) == (2, 8)
    assert (found.ratio, found.low, found.high) == (0.25, 0.125, 0.5)


def test_a_limit_is_divided_by_what_was_measured() -> None:
    found = result_of(case_of("start", 1, factor=2, offset=0.25), Turns([[0.5]], [[0.125]], 1, 1))
    assert (found.charlm, found.peer, found.ratio, found.reached) == (0.5, 0.125, 1, True)
    assert found.charlm_mb is None
    memory = result_of(case_of("memory", 1, factor=0.5), Turns([[9]], [[9]], 100, 400))
    assert (memory.charlm, memory.peer, memory.ratio) == (100, 400, 2)


RESULT = Result("a case", 12.345, 1234.5, 1.5, 2.0, 1.25, 1.75, "ms", 99.5, 400.0, 3.25)


def test_the_figures_are_a_list_of_objects() -> None:
    (found,) = json.loads(as_json([RESULT]))
    assert found == {
        "case": "a case",
        "charlm": 12.345,
        "peer": 1234.5,
        "ratio": 1.5,
        "floor": 2.0,
        "low": 1.25,
        "high": 1.75,
        "unit": "ms",
        "charlm_mb": 99.5,
        "peer_mb": 400.0,
        "bound": 3.25,
    }


def test_tables_mark_what_is_below_its_floor_and_what_failed() -> None:
    outcomes = [
        Outcome(case_of("train"), RESULT),
        Outcome(case_of("train"), Result("other", 1, 2, 2.0, 2.0, 2.0, 2.0, "ms", 1.0, 2.0)),
        Outcome(case_of("train", 2.5), None, "no memory"),
        Outcome(case_of("start", 1), Result("slow", 0.25, 0.5, 0.5, 1.0, 0.5, 0.5, "s", None, None)),
    ]
    text = report("a machine", outcomes)
    assert text.startswith("a machine\n\n### A training step\n\nEmbedding, ")
    assert (
        "| case | charlm, ms | PyTorch, ms | ratio (turns) | floor | charlm MB | PyTorch MB | in the cache |\n| --- |"
        in text
    )
    assert "| a case | 12.3 | 1,234 | **1.50 (1.25-1.75), below** | 2 | 99.5 | 400 | 3.25 |\n" in text
    assert "| other | 1.00 | 2.00 | 2.00 (2.00-2.00) | 2 | 1.00 | 2.00 |  |\n" in text
    assert "| made up | failed: no memory |  |  | 2.5 |  |  |  |\n" in text
    assert "| case | charlm, s | Python, s | ratio (turns) | floor |\n| --- | --- | --- | --- | --- |\n" in text
    assert "| slow | 0.250 | 0.500 | **0.50 (0.50-0.50), below** | 1 |\n" in text
    assert "Peak memory" not in text


def test_numbers_have_three_figures() -> None:
    assert [number(value) for value in (0.12345, 1.2345, 12.345, 123.45, 12345.6)] == [
        "0.123",
        "1.23",
        "12.3",
        "123",
        "12,346",
    ]


def test_text_is_put_between_the_marks_again_and_again() -> None:
    once = spliced(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert spliced(once, "new") == once
    for page in ("no marks", f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"):
        with pytest.raises(ValueError, match="one line"):
            spliced(page, "new")


def test_two_workers_take_turns() -> None:
    """The first step of a turn is not counted; memory is that of the process."""
    found = measure(TINY_CASE, Plan(steps=3, least=2, most=2))
    assert [len(turn) for turn in (*found.charlm, *found.peer)] == [2] * 4
    assert all(seconds > 0 for turn in (*found.charlm, *found.peer) for seconds in turn)
    assert min(found.charlm_mb, found.peer_mb) > 10


def test_both_are_started_before_they_take_turns_and_each_is_first_every_other_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []

    class Recorded:
        megabytes = 1.0
        least = 0.0

        def __init__(self, side: Side, _: object) -> None:
            self.name = side.engine

        def __enter__(self) -> Self:
            happened.append(f"{self.name} starts")
            return self

        def __exit__(self, *_: object) -> None:
            happened.append(f"{self.name} ends")

        def turn(self, steps: int) -> list[float]:
            happened.append(f"{self.name} takes {steps}")
            return [1.0]

    monkeypatch.setattr(measuring, "Worker", Recorded)
    monkeypatch.setattr("bench.measuring.time.sleep", lambda _: happened.append("pause"))
    measure(case_of("train"), Plan(steps=4, least=2, most=2))
    turns = ["charlm takes 4", "torch takes 4", "torch takes 4", "charlm takes 4"]
    between = [each for turn in turns for each in ("pause", turn)]
    both = ["charlm starts", "torch starts", *between, "torch ends", "charlm ends"]
    assert happened == [*both, "charlm starts", "charlm ends"]  # the last for the parts of its step one by one


def test_a_worker_that_fails_says_why() -> None:
    case = Case("bad", "train", Side("charlm", "training", TINY | {"cell": "nonsense"}), TINY_CASE.peer, 1)
    with pytest.raises(WorkerError, match=r"charlm training ended with status 1: .*unknown cell 'nonsense'"):
        measure(case, Plan())


def test_steps_are_counted_in_the_work_that_they_do() -> None:
    """A step that is 16 operations takes more than 16 nanoseconds, so a GFLOP of them more than a second."""
    assert arithmetic(**TINY).amount == pytest.approx(2e-9 * 3 * (16 * 4 * 6 + 16 * 3 * 5 + 5 * 4 * 6))
    with Worker(Side("charlm", "product", {"size": 2}), {}) as worker:
        (seconds,) = worker.turn(2)
    assert seconds > 1


def test_a_command_does_not_take_the_turns_that_are_asked_for() -> None:
    code = "import os, stat; assert not stat.S_ISFIFO(os.fstat(0).st_mode)"  # as the worker's input is
    with Worker(Side("commands", "python", {"code": code}), {}) as worker:
        assert len(worker.turn(2)) == 1


def test_a_worker_is_free_to_choose_its_kernels_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ATEN_CPU_CAPABILITY", "CHARLM_MODEL"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "1")
    found = environment({"OPENBLAS_CORETYPE": "Haswell"})
    assert {name for name in found if name.startswith(("OPENBLAS", "OMP", "MKL", "ATEN", "CHARLM"))} == {
        "OPENBLAS_CORETYPE"
    }
    assert found["KEPT"] == "1"


def test_streams_are_samples_of_their_own() -> None:
    model = random_model(ModelConfig(5, "lstm", {}, 1, 4, 3))
    streams = list(streams_of(model, 3, 20))
    assert [len(stream) for stream in streams] == [20] * 3
    assert len({tuple(stream) for stream in streams}) == 3


def test_the_lines_to_score_are_of_mixed_length_and_always_the_same() -> None:
    sizes = [line.size for line in lines(65)]
    assert (len(sizes), min(sizes), max(sizes)) == (3000, 1, 400)
    assert len(set(sizes)) > 150
    assert max(line.max() for line in lines(65)) == 64
    np.testing.assert_array_equal(np.concatenate(lines(65)), np.concatenate(lines(65)))
