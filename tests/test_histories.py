"""What runs have written down, read as it stands: whole, torn, damaged, of another version, or still being written."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from history_cases import about, finished, long_ago, state, validation, write_log, write_metadata, write_run

import charlm
from charlm.config import ModelConfig
from charlm.errors import ModelError
from charlm.histories.comparing import groups
from charlm.histories.history import RunHistory
from charlm.histories.reading import RUNNING_SECONDS, find_runs
from charlm.nn.language_model import LanguageModel
from charlm.training.run import SAVE_SECONDS


def read(folder: Path) -> RunHistory:
    """The one run in a folder."""
    (run,) = charlm.history(folder)
    return run


def test_a_run_is_what_its_files_say(tmp_path: Path) -> None:
    run = read(finished(tmp_path / "names", [3.0, 2.0, 2.5]))
    assert (run.name, run.folder) == ("names", tmp_path / "names")
    assert (run.state, run.progress, run.step, run.seconds) == ("finished", 1.0, 100, 10.0)
    assert run.tokens == 100 * 8 * 4
    assert run.tokens_per_second == pytest.approx(320)
    assert [each.valid_nats_per_token for each in run.validations] == [3.0, 2.0, 2.5]
    assert [each.tokens for each in run.validations] == [34 * 32, 67 * 32, 100 * 32]
    assert run.train_nats_per_token == 2.0
    assert isinstance(run.model, ModelConfig)
    assert run.parameters == len(LanguageModel(run.model).parameters)
    assert run.text is not None
    assert run.corpus["paths"] == ["names.txt"]
    assert not run.problems


def test_the_best_is_the_first_of_the_lowest(tmp_path: Path) -> None:
    run = read(finished(tmp_path / "names", [3.0, 2.0, 2.0, 2.5]))
    assert run.best is run.validations[1]
    assert run.bits_per_char == pytest.approx(2.0 / math.log(2))
    assert run.to_json()["best"] == {
        "step": 50,
        "nats_per_token": 2.0,
        "bits_per_token": pytest.approx(2.0 / math.log(2)),
        "bits_per_char": pytest.approx(2.0 / math.log(2)),
    }


def test_what_a_run_writes_besides_is_read(tmp_path: Path) -> None:
    more = {"lr": 0.004, "clipped": 0.25, "spikes": 1, "skipped": 2, "tokens": 777}
    run = read(write_run(tmp_path, validation(50, **more), {"event": "returned", "step": 40}))
    (only,) = run.validations
    assert {key: getattr(only, key) for key in more} == more
    assert run.tokens == 777
    assert (run.count("returned"), run.count("skipped")) == (1, 0)


def test_what_is_missing_is_none(tmp_path: Path) -> None:
    run = read(write_log(tmp_path, {"event": "validation"}))
    assert set(vars(run.validations[0]).values()) == {None}
    assert (run.best, run.step, run.tokens, run.progress, run.model, run.parameters) == (None,) * 6
    assert (run.tokens_per_second, run.bits_per_char, run.train_nats_per_token) == (None,) * 3
    assert run.corpus == {}
    assert not run.problems


def test_unknown_events_and_keys_are_kept_and_change_nothing(tmp_path: Path) -> None:
    records = [validation(50, colour="blue"), {"event": "comet", "sign": [1, {"a": None}]}, {"no": "event"}]
    run = read(write_run(tmp_path, *records))
    assert list(run.records) == records
    assert len(run.validations) == 1
    assert not run.problems


@pytest.mark.parametrize("value", ["2", True, None, [], {}, 1e200, -1e200])
def test_a_value_of_another_kind_is_as_if_it_were_missing(value: Any, tmp_path: Path) -> None:
    keys = ["step", "progress", "seconds", "tokens", "valid_nats_per_token", "train_nats_per_token", "lr", "spikes"]
    record = {"event": "validation", **dict.fromkeys(keys, value), "valid": value}
    run = read(write_run(tmp_path, record, {"event": value, "step": value}))
    assert set(vars(run.validations[0]).values()) == {None}
    assert run.best is None
    json.dumps(run.to_json(), allow_nan=False)


def test_every_beginning_of_a_log_can_be_read(tmp_path: Path) -> None:
    """A line that is just being written, or was when the machine went off, is left out and not spoken of."""
    records = [validation(10, 3.0), {"event": "plan", "step": 11}, validation(20, 2.0)]
    log = write_run(tmp_path, *records) / "log.jsonl"
    data = log.read_bytes()
    for cut in range(data.index(b"\n"), len(data) + 1):
        log.write_bytes(data[:cut])
        run = read(tmp_path)
        whole = sum(cut >= end for end in (i for i, byte in enumerate(data) if byte == ord("\n")))
        assert list(run.records) == records[:whole], cut
        assert not run.problems


@pytest.mark.parametrize("tail", [b'{"event": "valid', b"\0" * 500, b"\xff\xfe", b"[1, 2", b"17", b" "])
def test_a_torn_last_line_is_left_out(tail: bytes, tmp_path: Path) -> None:
    run = read(write_log(tmp_path, validation(10), end=tail))
    assert len(run.records) == 1
    assert not run.problems


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "valid{"event": "plan"}',
        b"\0\0\0",
        b"\xff",
        b"[1]",
        b"17",
        b'{"event": "validation", "step": NaN}',
        b'{"event": "validation", "seconds": 1e999}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_named_and_left_out(line: bytes, tmp_path: Path) -> None:
    log = write_log(tmp_path, validation(10)) / "log.jsonl"
    log.write_bytes(log.read_bytes() + b"\n" + line + b"\n" + log.read_bytes())
    run = read(tmp_path)
    assert list(run.records) == [validation(10)] * 2
    assert run.problems == (f"{log}: line 3 damaged and left out",)


def test_of_many_damaged_lines_some_are_named(tmp_path: Path) -> None:
    run = read(write_log(tmp_path, validation(10), end=b"x\n" * 20))
    assert run.problems == (f"{tmp_path / 'log.jsonl'}: lines 2, 3, 4, 5, 6 and 15 more damaged and left out",)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([validation(100)], "finished"),
        ([validation(50), {"event": "finished"}], "finished"),
        ([validation(50), {"event": "stopped"}], "stopped"),
        ([validation(50), {"event": "stopped"}, {"event": "comet"}], "stopped"),
        ([validation(50)], "killed"),
        ([validation(50), {"event": "stopped"}, {"event": "resumed"}], "killed"),
        ([validation(50), {"event": "stopped"}, validation(60)], "killed"),
        ([validation(100), {"event": "stopped"}, {"event": "resumed"}, {"event": "finished"}], "finished"),
        ([{"event": "plan", "step": 3, "progress": 0.1}], "killed"),
    ],
)
def test_state(events: list[dict[str, Any]], expected: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path, *events)
    assert read(folder).state == ("running" if expected == "killed" else expected)
    assert read(long_ago(folder)).state == expected


def test_a_run_that_was_stopped_at_its_best_has_that_as_its_best(tmp_path: Path) -> None:
    """The model in its folder is the one of the stop; what it cost is all that the log says of it."""
    stopped = {"event": "stopped", "step": 60, "seconds": 6.0, "valid_nats_per_token": 1.5}
    run = read(write_run(tmp_path / "better", validation(50, 2.0), stopped, corpus={"valid_characters": 2000}))
    assert run.best is not None
    assert (run.best.step, run.best.cost, run.train_nats_per_token) == (60, 1.5, 1.5)
    assert run.bits_per_char == pytest.approx(1.5 * 1000 / 2000 / math.log(2))
    run = read(write_run(tmp_path / "worse", validation(50, 1.25), stopped))
    assert run.best is run.validations[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes")
def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    finished(tmp_path / "names")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "log.jsonl")
    _, pipe = charlm.history(tmp_path)
    assert "pipe or a device" in pipe.problems[0]


def test_a_run_that_goes_on_writes_often_enough_to_be_seen_running() -> None:
    assert RUNNING_SECONDS > 2 * SAVE_SECONDS


def test_the_newer_of_log_and_state_says_where_it_stands(tmp_path: Path) -> None:
    folder = write_run(tmp_path, validation(50))
    write_metadata(folder / "training.safetensors", state(63, 6.3))
    run = read(folder)
    assert (run.step, run.seconds, run.tokens) == (63, 6.3, 63 * 32)
    assert run.progress == pytest.approx(0.63)
    write_metadata(folder / "training.safetensors", state(40, 4.0))
    run = read(folder)
    assert (run.step, run.seconds, run.progress) == (50, 5.0, 0.5)


def test_the_plans_of_a_run_that_has_done_nothing_else_say_where_it_stands(tmp_path: Path) -> None:
    plans = [{"event": "plan", "step": step, "progress": step / 50, "slope": 0.02, "ceiling": 1.0} for step in (1, 3)]
    run = read(write_log(tmp_path, *plans))
    assert (run.step, run.progress) == (3, 0.06)


def test_without_a_model_the_state_says_what_is_trained(tmp_path: Path) -> None:
    folder = write_log(tmp_path, validation(50))
    write_metadata(folder / "training.safetensors", state(50, 5.0))
    run, like = read(folder), read(write_run(tmp_path / "like", validation(50)))
    assert (run.model, run.text, run.parameters, run.tokens) == (like.model, like.text, like.parameters, like.tokens)
    assert run.corpus == like.corpus


def test_a_run_that_was_stopped_before_it_logged_anything_is_one(tmp_path: Path) -> None:
    (tmp_path / "early").mkdir()
    write_metadata(tmp_path / "early" / "training.safetensors", state(7, 0.7))
    (run,) = charlm.history(tmp_path)
    assert (run.name, run.step, run.seconds, run.tokens, run.state) == ("early", 7, 0.7, 7 * 32, "running")
    assert run.progress == pytest.approx(0.07)
    assert run.model is not None
    assert (run.records, run.problems) == ((), ())


def test_damaged_files_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = write_log(tmp_path, validation(50))
    for name in ("model.safetensors", "training.safetensors"):
        (folder / name).write_bytes(b"nonsense" * 20)
    run = read(folder)
    assert run.step == 50
    assert [name in problem for problem, name in zip(run.problems, ("training.", "model."), strict=True)] == [True] * 2


@pytest.mark.parametrize("wrong", [{"hidden": "many"}, {"cell": "transformer"}, {"layers": 0}])
def test_a_model_that_makes_no_sense_is_named(wrong: dict[str, Any], tmp_path: Path) -> None:
    run = read(write_run(tmp_path, validation(50), model=wrong))
    assert run.model is None
    assert run.step == 50
    (problem,) = run.problems
    assert str(tmp_path) in problem


def test_keys_of_other_versions_do_not_matter(tmp_path: Path) -> None:
    said = about(model={"colour": "blue"}, text={"font": "large"}, train={"patience": 3})
    del said["model"]["tied"], said["text"]["most_validated"], said["record"]["train"]["restart"]
    write_metadata(write_log(tmp_path, validation(50)) / "model.safetensors", {**said, "format": 9, "new": 1})
    run, like = read(tmp_path), read(write_run(tmp_path / "like", validation(50)))
    assert (run.model, run.text, run.tokens, run.problems) == (like.model, like.text, like.tokens, ())


def test_runs_are_found_at_any_depth_and_once(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("a", "b/c", "b/c/d")]
    for place in places:
        finished(place)
    finished(tmp_path / ".trash" / "old")
    (tmp_path / "empty").mkdir()
    assert find_runs([tmp_path]) == places
    assert find_runs([tmp_path / "b" / "c", tmp_path, tmp_path / "a" / ".."]) == [places[1], places[0], places[2]]
    assert find_runs([tmp_path / "a" / "log.jsonl", tmp_path / "a" / "model.safetensors"]) == [places[0]]
    assert [run.name for run in charlm.history(tmp_path)] == ["a", str(Path("b/c")), str(Path("b/c/d"))]
    assert [run.name for run in charlm.history([str(tmp_path / "b")])] == ["c", str(Path("c/d"))]


def test_paths_without_a_run_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("hello")
    for name, said in (
        ("folder", "holds no log.jsonl of a run"),
        ("file", "holds no log.jsonl of a run"),
        ("no", "there is nothing at"),
    ):
        with pytest.raises(ModelError, match=said) as caught:
            charlm.history(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_an_empty_log_is_refused_alone_and_named_among_others(tmp_path: Path) -> None:
    empty = write_log(tmp_path / "empty", end=b'{"eve')
    with pytest.raises(ModelError, match="holds no record") as caught:
        charlm.history(empty)
    assert str(empty / "log.jsonl") in str(caught.value)
    finished(tmp_path / "names")
    first, second = charlm.history(tmp_path)
    assert "holds no record" in first.problems[0]
    assert not second.problems


def test_reading_changes_nothing(tmp_path: Path) -> None:
    folder = write_log(tmp_path, validation(50), end=b'{"torn')
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    read(folder)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


WORDS: dict[str, Any] = {"text": {"level": "word"}, "model": {"vocabulary": 300}, "corpus": {"valid_tokens": 200}}
LINES: dict[str, Any] = {"text": {"independent_lines": True}}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {"model": {"cell": "gru", "hidden": 64}, "train": {"lr": 0.1, "steps": 7}}, ["1", "1"]),
        ({}, {"corpus": {"digest": "b" * 64}}, ["1", "2"]),
        ({}, {"text": {"lowercase": True}}, ["1", "2"]),
        ({}, {"text": {"valid_fraction": 0.2}, "corpus": {"valid_characters": 2000}}, ["1", "2"]),
        ({}, LINES, ["1", "2"]),
        ({}, {"train": {"seed": 2}}, ["1", "1"]),
        (LINES, {**LINES, "train": {"seed": 2}}, ["1", "2"]),
        (
            {"corpus": {"valid_digest": "c" * 64}},
            {"corpus": {"valid_digest": "c" * 64, "digest": "d" * 64}},
            ["1", "1"],
        ),
        ({"corpus": {"valid_digest": "c" * 64}}, {"corpus": {"valid_digest": "d" * 64}}, ["1", "2"]),
        ({}, WORDS, ["1.1", "1.2"]),
        (WORDS, {**WORDS, "model": {"vocabulary": 200}}, ["1.1", "1.2"]),
        (WORDS, {**WORDS, "text": {"level": "token"}}, ["1.1", "1.2"]),
        ({}, {"corpus": {"digest": None}}, ["1", "?"]),
        ({}, {"model": {"layers": 0}}, ["1", "?"]),
    ],
)
def test_groups(first: dict[str, Any], second: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    """The texts that validate must be the same for losses to compare, and the tokens for losses a token."""
    runs = [read(finished(tmp_path / name, **changes)) for name, changes in (("a", first), ("b", second))]
    assert groups(runs) == expected


def test_groups_of_many(tmp_path: Path) -> None:
    other = {"corpus": {"digest": "b" * 64}}
    changes: list[dict[str, Any]] = [other, {}, WORDS, other, {}]
    runs = [read(finished(tmp_path / str(i), **each)) for i, each in enumerate(changes)]
    assert groups(runs) == ["1", "2.1", "2.2", "1", "2.1"]
