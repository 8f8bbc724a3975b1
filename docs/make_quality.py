"""The figures of docs/quality.md: what `charlm train` makes of a text in a given time, by its defaults alone.

    python docs/make_quality.py tinyshakespeare.txt            # train and measure (an hour on two cores), then write
    python docs/make_quality.py tinyshakespeare.txt --only 90s # some of it: those whose name holds one of the words
    python docs/make_quality.py --write                        # write tables and plot again from the figures there are

Every training is the command that a person types, in a process of its own, timed as a whole; what it made is judged by
`charlm eval` on the saved model. Nothing else should run meanwhile. The text is cut 90/10. What was measured goes into
`quality.json`; from there the tables between the marks in the page are written, and the plot. The prose around them is
written by hand.
"""

import argparse
import datetime as dt
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from page_tables import with_tables

from charlm.curves import Curve
from charlm.machine import fingerprint
from charlm.plots import write_curves

HERE = Path(__file__).resolve().parent
CORPORA = HERE.parent / "corpora"
PAGE, FIGURES, PLOT = HERE / "quality.md", HERE / "quality.json", HERE / "quality.svg"
SHARE = 0.9
"""Of the given text, from its beginning, that is trained on."""
BEAT = re.compile(r"to beat: .*?([0-9.]+) nats a token")
"""What `charlm train` says of n-grams of the same text and vocabulary."""


class Case(NamedTuple):
    """A training and what is asked of it.

    Attributes:
        name: as it stands in the tables.
        text: a corpus of the project's; None for the given text.
        options: of `charlm train`.
        seeds: one training each.
        peer: what others reached, in words.
        target: nats a token to reach at most; None where n-grams are to be beaten.
        seconds: wall-clock time of the whole command, at most 3 % + 2 s more.
    """

    name: str
    text: str | None
    options: tuple[str, ...]
    seeds: tuple[int, ...]
    peer: str
    target: float | None
    seconds: float | None = None

    @property
    def typed(self) -> str:
        """The command, for the page."""
        return " ".join(("charlm train", self.text or "train.txt --valid valid.txt", *self.options))


CASES = (
    Case("12 s", None, ("--time", "12s"), (1, 2, 3), "nanoGPT on a CPU after 92 s: 1.886", 1.886, 12),
    Case("90 s", None, ("--time", "90s"), (1, 2, 3), "nanoGPT on a CPU: 1.886", 1.535, 90),
    Case("5 min", None, ("--time", "5m"), (1, 2, 3), "", 1.48, 300),
    Case("20 min", None, ("--time", "20m"), (1,), "nanoGPT on an A100 GPU: 1.4697", 1.45, 1200),
    Case("dinosaurs", "dinosaurs.txt", (), (1, 2, 3), "", None),
    Case("fables", "fables.txt", (), (1,), "", None),
    Case("fables, words", "fables.txt", ("--level", "word"), (1, 2, 3), "", None),
    Case("words", None, ("--level", "word"), (1, 2, 3), "", None),
)


def measured(case: Case, seed: int, texts: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """Train once, and judge the saved model."""
    model = folder / f"{case.name.replace(' ', '-')}-{seed}"
    train = [str(CORPORA / case.text)] if case.text else [str(texts["train"]), "--valid", str(texts["valid"])]
    began = time.monotonic()
    said = charlm("train", *train, *case.options, "--seed", str(seed), "--model", str(model)).stderr
    seconds = time.monotonic() - began
    judged = json.loads(charlm("eval", "--model", str(model), "--json").stdout)
    log = [json.loads(line) for line in (model / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    validations = [line for line in log if line["event"] == "validation"]
    beat = BEAT.search(said)
    return {
        "case": case.name,
        "seed": seed,
        "seconds": seconds,
        "nats": judged["nats_per_token"],
        "steps": validations[-1]["step"],
        "tokens": validations[-1]["tokens"],
        "to_beat": float(beat[1]) if beat else None,
        "picked": _picked(said),
        "curve": [(line["seconds"], line["valid_nats_per_token"]) for line in validations],
    }


def charlm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of charlm's to its end."""
    command = [sys.executable, "-m", "charlm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command


def _picked(said: str) -> str:
    """Cell and sizes, as a training names them."""
    line = next((line for line in said.splitlines() if "parameters" in line), "")
    return line.removeprefix("charlm: ").partition(";")[0]


def tables(figures: Mapping[str, Any]) -> dict[str, str]:
    """The tables of the page, by the name of their marks."""
    timed, preset = [case for case in CASES if case.seconds], [case for case in CASES if not case.seconds]
    return {
        "machine": figures["machine"],
        "time": _table(timed, figures["runs"]),
        "presets": _table(preset, figures["runs"]),
    }


def _table(cases: Iterable[Case], runs: Sequence[Mapping[str, Any]]) -> str:
    """The cases that have runs, without the columns that none of them fills."""
    head = (
        "command",
        "nats a token: median",
        "of the seeds",
        "to reach",
        "n-grams",
        "whole command, s",
        "model",
        "peer",
    )
    rows = [_cells(case, found) for case in cases if (found := [run for run in runs if run["case"] == case.name])]
    columns = [column for column in zip(head, *rows, strict=True) if any(column[1:]) or not rows]
    heading, *lines = (f"| {' | '.join(cells)} |" for cells in zip(*columns, strict=True))
    return "\n".join((heading, f"|{' --- |' * len(columns)}", *lines))


def _cells(case: Case, found: Sequence[Mapping[str, Any]]) -> list[str]:
    nats = [run["nats"] for run in found]
    to_beat = found[0]["to_beat"]
    return [
        f"`{case.typed}`",
        f"**{statistics.median(nats):.4f}**",
        ", ".join(f"{value:.4f}" for value in nats),
        f"{case.target:g}" if case.target else "",
        f"{to_beat:.4f}" if to_beat else "",
        ", ".join(f"{run['seconds']:.1f}" for run in found),
        found[0]["picked"],
        case.peer,
    ]


def plot(runs: Sequence[Mapping[str, Any]]) -> None:
    """Validation loss against time, for the runs on the given text that are bound by time."""
    names = [case.name for case in CASES if case.seconds and "word" not in case.options]
    curves = [
        Curve(f"{run['case']}", *zip(*run["curve"], strict=True))
        for run in runs
        if run["case"] in names and run["seed"] == 1
    ]
    if curves:
        write_curves(
            PLOT, curves, title="Validation while training", across="seconds", up="nats a character", log=False
        )


def write(figures: Mapping[str, Any]) -> None:
    """Put the tables into the page, and write the plot."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(figures)), encoding="utf-8")
    plot(figures["runs"])


def machine() -> str:
    """What was measured on, and when."""
    found = fingerprint()
    versions = f"Python {found['python']}, NumPy {found['numpy']}, {found['blas']}, kernel {found['kernel']}"
    return f"{os.cpu_count()} cores, {versions}, {found['threads']} threads, {dt.datetime.now(tz=dt.UTC):%d %B %Y}."


def cut(text: Path, folder: Path) -> dict[str, Path]:
    """The given text in two files."""
    whole = text.read_bytes().decode("utf-8")  # with the ends of lines as they are
    place = int(len(whole) * SHARE)
    parts = {"train": whole[:place], "valid": whole[place:]}
    paths = {name: folder / f"{name}.txt" for name in parts}
    for name, part in parts.items():
        paths[name].write_text(part, encoding="utf-8", newline="")
    return paths


def run(text: Path, cases: Sequence[Case], figures: dict[str, Any]) -> None:
    """Measure these cases, and write after each training: an hour's work is not to be lost."""
    figures["machine"] = machine()
    with tempfile.TemporaryDirectory() as folder:
        texts = cut(text, Path(folder))
        for case in cases:
            figures["runs"] = [each for each in figures["runs"] if each["case"] != case.name]
            for seed in case.seeds:
                figures["runs"].append(measured(case, seed, texts, Path(folder)))
                done = figures["runs"][-1]
                sys.stdout.write(f"{case.name}, seed {seed}: {done['nats']:.4f} in {done['seconds']:.1f} s\n")
                sys.stdout.flush()
                FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write(figures)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="The figures of docs/quality.md.")
    parser.add_argument("text", type=Path, nargs="?", help="Tiny Shakespeare, or another text of about its size")
    parser.add_argument("--write", action="store_true", help="write again from the figures there are; train nothing")
    parser.add_argument("--only", nargs="+", default=[""], help="words of the names of cases; the others' figures stay")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"runs": []}
    if options.write:
        write(figures)
    elif options.text is None:
        parser.error("name the text to train on, or --write")
    else:
        run(options.text, [case for case in CASES if any(word in case.name for word in options.only)], figures)


if __name__ == "__main__":
    main()
