"""Plots in files, by matplotlib, which only this module needs."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from charlm.errors import OutputError, UsageError
from charlm.files import write_atomically

FORMATS = (".svg", ".png")
ADVICE = "Free some space or name another file with --plot"
MANY = 24
"""So many points are drawn without marks."""


def check_plot_file(path: Path) -> None:
    """Refuse before any work what could not be written in the end.

    Raises:
        UsageError: the name does not end in one of ``FORMATS``, or matplotlib is not installed.
        OutputError: there is no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: a plot is written as {' or '.join(FORMATS)}; name the file so")
    if find_spec("matplotlib") is None:
        raise UsageError("a plot needs matplotlib: pip install 'charlm[plot]'")
    if not path.parent.is_dir():
        raise OutputError(
            f"cannot write {path}: there is no folder {path.parent}. Make it, or name another with --plot"
        )


def write_curves(
    path: Path,
    curves: Mapping[str, Sequence[float]],
    *,
    title: str,
    across: str,
    up: str,
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    ticks: Sequence[str] | None = None,
    log: bool = True,
) -> None:
    """Write curves over 1, 2, 3, ... to an SVG or PNG file; the same curves give the same bytes.

    Args:
        path: its ending says which.
        curves: name -> values.
        title: above the plot.
        across: what the horizontal axis is.
        up: what the vertical axis is.
        bands: name of a curve -> its lower and upper edge, shaded.
        ticks: what stands at 1, 2, 3, ... on the horizontal axis, where that is not the numbers.
        log: whether the vertical axis is logarithmic.

    Raises:
        UsageError: as ``check_plot_file``.
        OutputError: the file cannot be written.
    """
    check_plot_file(path)
    from matplotlib import rc_context  # noqa: PLC0415 - an extra, loaded only when it is used
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as above

    # Ids in an SVG come from this salt instead of from chance, and no date is written.
    with rc_context({"svg.hashsalt": "charlm"}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        for name, values in curves.items():
            (line,) = axes.plot(range(1, len(values) + 1), values, label=name, marker="." if len(values) < MANY else "")
            if bands and name in bands:
                low, high = bands[name]
                axes.fill_between(range(1, len(values) + 1), low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axes.set(title=title, xlabel=across, ylabel=up, yscale="log" if log else "linear")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if ticks:
            axes.set_xticks(range(1, len(ticks) + 1), ticks)
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        data, kind = BytesIO(), path.suffix.lower()[1:]
        figure.savefig(data, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, data.getvalue(), ADVICE)
