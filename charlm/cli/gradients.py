"""``charlm gradients``: how the gradient of a prediction fades over the steps before it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.chart import WIDTH, chart
from charlm.cli.console import counted, note, result, result_json
from charlm.cli.evaluate import own_part, part_of
from charlm.cli.find import JsonOption, LabelOption, ModelOption, PlotOption, load
from charlm.cli.inputs import note_file
from charlm.cli.label_part import ids_under_label
from charlm.curves import Curve
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.gradients import Measurement
    from charlm.nn.arrays import Ids

FADED = 0.01
"""The share of the gradient at lag 1 at which it is called faded."""
EVERY_LAG_TO = 10


def gradients(
    text: Annotated[
        str | None,
        typer.Argument(
            help="A text; without it, and without --file, the validation part of the model's own corpus.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", help="Measure on a file's text, named as for train.", show_default=False),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the file.", show_default="as trained")
    ] = None,
    lags: Annotated[int, typer.Option("--lags", help="Most steps to go back.")] = 50,
    positions: Annotated[int, typer.Option("--positions", help="Positions to average over.")] = 256,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw of the positions.")] = 1,
    plot: PlotOption = None,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """How the gradient of a prediction fades over the steps before it: norms of dL_t/dh_{t-k} by the lag k.

    L_t is the loss at one step t; h, and c in LSTMs, is the state that was carried from step t-k to the next, and
    counts by that way alone: what it gave to the layer above at step t-k is not in it. The norms are means over
    positions t, per layer.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this
    from charlm.gradients import measure  # noqa: PLC0415 - NumPy is loaded only when it is used

    if text is not None and file:
        raise UsageError("give a text or --file, not both")
    if plot is not None:
        from charlm.plots import check_plot_file  # noqa: PLC0415 - as above

        check_plot_file(plot)
    require("--lags", lags, minimum=1)
    require("--positions", positions, minimum=1)
    trained = load(model).under(label)
    ids = _ids(trained, text, file, encoding)
    found = measure(trained.network, ids, line_end=trained.line_end, lags=lags, positions=positions, seed=seed)
    if found.lags < lags:
        note(f"going back {counted(found.lags, 'step')}: too few positions have more before them")
    if as_json:
        result_json(_as_json(found))
    else:
        for line in _table(found):
            result(line)
    if plot is not None:
        _write_plot(plot, found, trained.network.config.description)
        note(f"wrote {plot}")


def _ids(trained: "TrainedModel", text: str | None, file: list[str] | None, encoding: str | None) -> "Ids":
    from charlm.text.reading import normalise  # noqa: PLC0415 - NumPy is loaded only when it is used

    if text is not None:
        note_file(text, f"is measured as a text; for the text in the file of that name: --file {text}")
        return trained.tokenizer.encode_sentence(normalise(text))
    part = part_of(trained, file, encoding) if file else own_part(trained, "measuring on")
    return ids_under_label(trained, part)


def _as_json(found: "Measurement") -> dict[str, object]:
    return {
        "lags": list(range(1, found.lags + 1)),
        "positions": found.positions,
        "gradients": [
            {
                "layer": each.layer,
                "part": each.part,
                "norms": [_finite(value) for value in each.norms.tolist()],
                "deviations": [_finite(value) for value in each.deviations.tolist()],
            }
            for each in found.decays
        ],
    }


def _finite(value: float) -> float | None:
    """A number as JSON has it: a gradient that has exploded beyond all numbers is null."""
    return value if math.isfinite(value) else None


def _shown(lags: int) -> list[int]:
    """Lags that the table shows: each of the first, then fewer and fewer, and the last."""
    shown, lag, step = list(range(1, min(lags, EVERY_LAG_TO) + 1)), EVERY_LAG_TO, 5
    while lag + step < lags:
        lag += step
        shown.append(lag)
        step = 10 if lag >= 3 * EVERY_LAG_TO else step
        step = 50 if lag >= 10 * EVERY_LAG_TO else step
    return shown if shown[-1] == lags else [*shown, lags]


def _table(found: "Measurement") -> Iterator[str]:
    symbol = {"hidden": "h", "cell": "c"}
    yield f"mean norm over {counted(found.positions, 'position')} of the gradient by the state so many steps before"
    yield f"{'lag':>5}" + "".join(f"{f'layer {each.layer}':>12}" for each in found.decays)
    yield f"{'':>5}" + "".join(f"{f'dL/d{symbol[each.part]}':>12}" for each in found.decays)
    for lag in _shown(found.lags):
        yield f"{lag:>5}" + "".join(f"{each.norms[lag - 1]:>12.3e}" for each in found.decays)
    yield ""
    yield from chart(_curves(found), log=True, width=min(WIDTH, found.lags))
    yield ""
    for each in found.decays:
        below = each.lag_below(FADED)
        share = f"{FADED:.0%} of its norm at lag 1"
        yield f"{each.name}: " + (f"falls below {share} first at lag {below}" if below else f"stays above {share}")


def _curves(found: "Measurement") -> list[Curve]:
    return [Curve.counted(each.name, each.norms.tolist()) for each in found.decays]


def _write_plot(path: Path, found: "Measurement", model: str) -> None:
    from charlm.plots import write_curves  # noqa: PLC0415 - NumPy is loaded only when it is used

    write_curves(
        path,
        _curves(found),
        title=f"{model}; {counted(found.positions, 'position')}",
        across="lag k, in steps",
        up="mean norm of the gradient of a prediction",
    )
