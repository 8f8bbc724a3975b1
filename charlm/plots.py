"""Plots in files, by matplotlib, which only this module needs."""

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from charlm.curves import Curve
from charlm.errors import OutputError, UsageError
from charlm.files import write_atomically

FORMATS = (".svg", ".png")
ADVICE = "Free some space or name another file with --plot"
MANY = 24
"""So many points are drawn without marks."""
CROWD = 8
"""More curves than so many have a small legend."""
MOST_ROWS = 20
"""Names one below another in a legend."""
LIGHT = 0.4
"""Opacity of a light curve."""


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
    curves: Sequence[Curve],
    *,
    title: str,
    across: str,
    up: str,
    ticks: Sequence[str] | None = None,
    log: bool = True,
) -> None:
    """Write curves to an SVG or PNG file; the same curves give the same bytes.

    Args:
        path: its ending says which.
        curves: what to draw.
        title: above the plot.
        across: what the horizontal axis is.
        up: what the vertical axis is.
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
    with rc_context({"svg.hashsalt": "charlm"}), warnings.catch_warnings():
        # The font lacks many of the world's letters; a name with such shows boxes, and that is all.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        colour = None
        for curve in curves:
            (line,) = axes.plot(
                curve.across,
                curve.up,
                label=_label(curve),
                # A single point has no line.
                marker="." if len(curve.up) == 1 or (len(curve.up) < MANY and not curve.light) else "",
                color=colour if curve.light else None,
                alpha=LIGHT if curve.light else None,
            )
            colour = line.get_color()
            if curve.band:
                axes.fill_between(curve.across, *curve.band, color=colour, alpha=0.15, linewidth=0)
        axes.set(title=title, xlabel=across, ylabel=up, yscale="log" if log else "linear")
        whole = all(float(place).is_integer() for curve in curves for place in curve.across)
        axes.xaxis.set_major_locator(MaxNLocator(integer=whole))
        if ticks:
            axes.set_xticks(range(1, len(ticks) + 1), ticks)
        axes.grid(visible=True, alpha=0.3)
        named = sum(not curve.light for curve in curves)
        legend = axes.legend(fontsize="small" if named > CROWD else None, ncols=1 + named // MOST_ROWS)
        # However large it is, the axes keep their size.
        legend.set_in_layout(False)
        for text in legend.get_texts():
            # A name with dollars is no formula.
            text.set_parse_math(False)
        data, kind = BytesIO(), path.suffix.lower()[1:]
        figure.savefig(data, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, data.getvalue(), ADVICE)


def _label(curve: Curve) -> str:
    """A curve's name for the legend, which leaves out those that begin with an underscore; light ones have none."""
    if curve.light:
        return "_"
    return f" {curve.name}" if curve.name.startswith("_") else curve.name
