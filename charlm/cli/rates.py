"""``--find-lr``: the learning-rate range test, shown."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from charlm.cli.chart import WIDTH, chart
from charlm.cli.console import counted, note, result, result_json
from charlm.cli.run_options import Asked
from charlm.cli.runs import Trainable, begun
from charlm.curves import Curve
from charlm.training.rate_finder import MARGIN, RateSearch, find_rate

SHOWN = 24
"""Steps that the table shows, evenly spread."""


def find(kind: Trainable[Any], folder: Path | None, corpus: list[str], asked: Asked, options: dict[str, Any]) -> None:
    """Check everything, run the test, and say what it has found; nothing is written but the plot.

    Raises:
        UsageError: an option is wrong, or there can be no plot.
        TrainingError: the loss is not finite from the start.
    """
    plot = None if asked.plot is None else Path(asked.plot)
    if plot is not None:
        from charlm.plots import check_plot_file  # noqa: PLC0415 - needed for plots alone

        check_plot_file(plot)
    run = begun(kind, folder, corpus, options, overwrite=True, quiet=asked.quiet)
    with closing(run.folder), np.errstate(all="ignore"):
        found = find_rate(run.trainer)
    if asked.as_json:
        result_json(_as_json(found))
    else:
        for line in _page(found):
            result(line)
    if plot is not None:
        _write_plot(plot, found)
        note(f"wrote {plot}")


def _as_json(found: RateSearch) -> dict[str, Any]:
    return {
        "suggestion": found.suggestion,
        "lowest": found.lowest,
        "steepest": found.steepest,
        "diverged": found.diverged,
        "trials": [{"lr": trial.lr, "loss": trial.loss, "smoothed": trial.smoothed} for trial in found.trials],
    }


def _page(found: RateSearch) -> Iterator[str]:
    trials = found.trials
    places = sorted({round(k * (len(trials) - 1) / (SHOWN - 1)) for k in range(SHOWN)})
    yield "learning rate    loss  smoothed"
    for trial in (trials[place] for place in places):
        yield f"{trial.lr:>13.2e} {trial.loss:>7.4f} {trial.smoothed:>9.4f}"
    yield ""
    yield "smoothed loss in nats by the power of ten of the learning rate"
    yield from chart([_curve(found)], width=WIDTH, across="log10 of the learning rate")
    yield ""
    end = "never rose out of bounds" if found.diverged is None else f"rose out of bounds at {found.diverged:.2g}"
    yield (
        f"{counted(len(trials), 'step')}: it fell fastest at {found.steepest:.2g}, was lowest at {found.lowest:.2g}, "
        f"and {end}"
    )
    yield f"suggestion: --lr {found.suggestion:.2g}"
    yield f"({MARGIN:g} of the rate at which it was lowest: a whole run bears less than a step does)"


def _curve(found: RateSearch) -> Curve:
    across = [float(np.log10(trial.lr)) for trial in found.trials]
    return Curve("smoothed loss", across, [trial.smoothed for trial in found.trials])


def _write_plot(path: Path, found: RateSearch) -> None:
    from charlm.plots import write_curves  # noqa: PLC0415 - needed for plots alone

    curve = _curve(found)
    losses = Curve("loss", curve.across, [trial.loss for trial in found.trials], light=True)
    title = f"learning-rate range test; suggestion {found.suggestion:.2g}"
    write_curves(
        path, [curve, losses], title=title, across="log10 of the learning rate", up="training loss in nats", log=False
    )
