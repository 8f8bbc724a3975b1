"""``charlm history``: how runs went, side by side."""

import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.chart import MARGIN, MARKS, chart
from charlm.cli.console import counted, note, result, result_json
from charlm.cli.find import RUNS, JsonOption, PlotOption
from charlm.cli.table import CUT, GAP, Column, room, shortened, table
from charlm.curves import Curve

if TYPE_CHECKING:
    from charlm.histories.history import RunHistory, Validation

WIDEST = 120
"""Columns that a chart takes at most."""
SHORTEST = 12
"""Characters to which names may be shortened."""
PLOTTED = 40
"""Characters of a run's name in a plot."""
ACROSS: dict[str, tuple[str, "Callable[[Validation], float | None]"]] = {
    "steps": ("steps", lambda each: each.step),
    "seconds": ("seconds", lambda each: each.seconds),
    "tokens": ("tokens trained on", lambda each: each.tokens),
}
"""What curves can be drawn over: what that is called, and how a validation has it."""
SORTS: dict[str, "Callable[[RunHistory], Any]"] = {
    "loss": lambda run: (run.best is None, run.best and run.best.cost),
    "time": lambda run: (run.seconds is None, run.seconds),
    "name": lambda run: run.name,
}
"""Orders of the runs; what is not known comes last."""


def history(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of runs, or folders that have such in them. Default: all below runs/.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="What curves are drawn over: steps, seconds or tokens.")] = "steps",
    sort: Annotated[
        str, typer.Option("--sort", help="Order: loss (the lowest first), time (the shortest first) or name.")
    ] = "loss",
    plot: PlotOption = None,
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Only the table.")] = False,
    as_json: JsonOption = False,
) -> None:
    """How runs went: losses, steps, speed and whether they were finished, side by side, and their curves.

    It reads what runs write down, while they go on or later. Losses are those of the best validation, in nats and bits
    a token, and in bits a character, which compare between tokens of different kinds. Runs of one group compare.
    """
    from charlm.config import choose  # noqa: PLC0415 - --help needs none of this
    from charlm.histories.comparing import groups  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.histories.reading import read_runs  # noqa: PLC0415 - as above

    choose("--by", by, tuple(ACROSS))
    choose("--sort", sort, tuple(SORTS))
    if plot is not None:
        from charlm.plots import check_plot_file  # noqa: PLC0415 - as above

        check_plot_file(plot)
    found = sorted(read_runs(runs or [RUNS]), key=SORTS[sort])
    for run in found:
        for problem in run.problems:
            note(problem)
    if as_json:
        result_json([{"group": group, **run.to_json()} for group, run in zip(groups(found), found, strict=True)])
    else:
        for line in _page(found, by, shutil.get_terminal_size().columns, with_chart=not no_chart):
            result(line)
    if plot is not None:
        from charlm.plots import write_curves  # noqa: PLC0415 - as above

        curves = _curves(found, by, [_short(run.name, PLOTTED) for run in found])
        title = "validation loss (lighter: training)"
        write_curves(plot, curves, title=title, across=ACROSS[by][0], up=f"nats {_per(found)}", log=False)
        note(f"wrote {plot}")


def _page(runs: Sequence["RunHistory"], by: str, width: int, *, with_chart: bool) -> Iterator[str]:
    from charlm.histories.comparing import groups  # noqa: PLC0415 - as above

    labels = groups(runs)
    compared = [Column("group", labels)] if len(set(labels)) > 1 else []
    results = [*compared, *_results(runs)]
    longest = max(SHORTEST, min(width // 3, room(results, width) - GAP))
    names = [_short(run.name, longest) for run in runs]
    first = Column("run", names, left=True)
    ways = [_about(runs, longest) for longest in range(width // 2, SHORTEST - 1, -4)]
    about = next((way for way in ways if room([first, *way], width) >= 0), _about(runs, SHORTEST))
    per = _per(runs)
    yield f"best validation in nats and bits {per}; last training loss in nats {per}"
    yield from table(first, [results, about], width)
    remarks = [*_comparison(runs, labels), *_accidents(runs)]
    if remarks:
        yield ""
        for remark in remarks:
            yield from textwrap.wrap(remark, max(width, len(CUT)))
    if with_chart:
        yield ""
        drawn = runs[: len(MARKS)]
        left_out = f"; of {len(runs)} runs the first {len(drawn)}" if len(drawn) < len(runs) else ""
        yield f"validation loss in nats {per} (lighter: training){left_out}"
        across = max(1, min(width, WIDEST) - MARGIN)
        yield from chart(_curves(drawn, by, names[: len(drawn)]), width=across, across=ACROSS[by][0])


def _per(runs: Sequence["RunHistory"]) -> str:
    """What losses are counted by."""
    from charlm.checkpoint import LANGUAGE_MODEL  # noqa: PLC0415 - NumPy is loaded only when it is used

    found = {"a token" if run.kind == LANGUAGE_MODEL else "a label" for run in runs}
    return "a token, or a label of taggers and classifiers" if len(found) > 1 else found.pop()


def _short(name: str, most: int = WIDEST) -> str:
    """A run's name: its end tells it from others as often as its beginning does."""
    return shortened(name, most, end=most // 2 - 2)


def _results(runs: Sequence["RunHistory"]) -> list[Column]:
    from charlm.histories.history import BITS  # noqa: PLC0415 - as above

    bests = [run.best for run in runs]
    costs = [None if best is None else best.cost for best in bests]
    return [
        Column("nats", _cells(costs, ".4f")),
        Column("bits", _cells([None if cost is None else cost * BITS for cost in costs], ".4f")),
        Column("bits/char", _cells([run.bits_per_char for run in runs], ".4f")),
        Column("at step", _cells([None if best is None else best.step for best in bests], ",")),
        Column("train", _cells([run.train_nats_per_token for run in runs], ".4f")),
        Column("state", [_state(run) for run in runs], left=True),
    ]


def _about(runs: Sequence["RunHistory"], widest: int) -> list[Column]:
    return [
        Column("model", [shortened(_model(run), widest, end=0) for run in runs], left=True),
        Column("params", _cells([run.parameters for run in runs], ",")),
        Column("text", [_short(_text(run), widest) for run in runs], left=True),
        Column("steps", _cells([run.step for run in runs], ",")),
        Column("seconds", _cells([run.seconds for run in runs], ",.1f")),
        Column("tok/s", _cells([run.tokens_per_second for run in runs], ",.0f")),
    ]


def _cells(values: Sequence[float | None], form: str) -> list[str]:
    return ["-" if value is None else f"{value:{form}}" for value in values]


def _state(run: "RunHistory") -> str:
    """A run that broke off may also go on, and be silent: hence the question mark."""
    if run.state == "finished":
        return run.state
    said = "killed?" if run.state == "killed" else run.state
    return said if run.progress is None else f"{said} at {run.progress:.0%}"


def _model(run: "RunHistory") -> str:
    """Cell, layers, units, and then what is special about it; before them what it is, if no language model."""
    if run.model is None:
        return "-"
    from charlm.checkpoint import LANGUAGE_MODEL  # noqa: PLC0415 - NumPy is loaded only when it is used

    special = run.model.kind.removeprefix(run.model.cell)
    kind = "" if run.kind == LANGUAGE_MODEL else f"{run.kind}: "
    return f"{kind}{run.model.cell} {run.model.layers} x {run.model.hidden}{special}"


def _text(run: "RunHistory") -> str:
    """The name of the first of a run's texts, and how many there are besides."""
    paths = run.corpus.get("paths")
    if not isinstance(paths, list):
        return "-"
    if not paths:
        return "(Python)"
    more = f" +{len(paths) - 1}" if len(paths) > 1 else ""
    return ("(pipe)" if paths[0] == "-" else Path(str(paths[0])).name) + more


def _curves(runs: Sequence["RunHistory"], by: str, names: Sequence[str]) -> list[Curve]:
    """For each run the loss of validation and, lighter, that of training."""
    place = ACROSS[by][1]
    curves = []
    for run, name in zip(runs, names, strict=True):
        at = [(place(each), each.valid_nats_per_token, each.train_nats_per_token) for each in run.validations]
        valid = [(x, y) for x, y, _ in at if x is not None and y is not None]
        train = [(x, y) for x, _, y in at if x is not None and y is not None]
        curves += [
            Curve(name, [x for x, _ in valid], [y for _, y in valid]),
            Curve(f"{name}, training", [x for x, _ in train], [y for _, y in train], light=True),
        ]
    return curves


def _comparison(runs: Sequence["RunHistory"], labels: Sequence[str]) -> Iterator[str]:
    """Which of the losses do not compare."""
    numbers = [label.split(".") for label in labels]
    if len({number[0] for number in numbers}) > 1:
        yield "losses compare within a group: the others were validated with other texts"
    parted = sorted({label for label in labels if "." in label})
    if parted:
        example = " and ".join(parted[:2])
        yield f"groups such as {example} have one text in different tokens: between them only bits/char compare"
    for run, label in zip(runs, labels, strict=True):
        best = run.best
        if label in parted and best and best.valid_unknown and best.valid_tokens:
            # It need not say which token it is.
            share = best.valid_unknown / best.valid_tokens
            yield f"{_short(run.name)} reads {share:.1%} of the tokens as <UNK>, which makes its bits fewer"


def _accidents(runs: Sequence["RunHistory"]) -> Iterator[str]:
    """Runs that did not go smoothly."""
    for run in runs:
        jumps = sum(each.spikes or 0 for each in run.validations)
        skipped = sum(each.skipped or 0 for each in run.validations)
        back = run.count("returned")
        said = [
            *([f"the loss jumped at {counted(jumps, 'step')}"] if jumps else []),
            *([f"{counted(skipped, 'step')} skipped, not being finite"] if skipped else []),
            *([f"gone back to its best weights {counted(back, 'time')}"] if back else []),
        ]
        if said:
            yield f"{_short(run.name)}: {', '.join(said)}"
