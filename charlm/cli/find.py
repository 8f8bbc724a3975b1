"""Which model a command means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import note
from charlm.errors import ModelError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel

RUNS = Path("runs")
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="A run's folder or a model file. Default: $CHARLM_MODEL, or else the newest model under runs/.",
        show_default=False,
        readable=False,
    ),
]
PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="Also write a plot, .svg or .png (needs charlm[plot]).", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the results as JSON.")]


def load(given: Path | None) -> "TrainedModel":
    """Load the model that is meant, and say which if nobody named it.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    import numpy as np  # noqa: PLC0415 - NumPy is loaded only when it is used

    from charlm.checkpoint import load_model  # noqa: PLC0415 - likewise

    # What is not finite becomes a message, and NumPy's warnings would stand between the results.
    np.seterr(all="ignore")
    return load_model(locate(given))


def locate(given: Path | None) -> Path:
    """The path of the model that is meant.

    Raises:
        ModelError: none is named and there is none under runs/.
    """
    if given is not None:
        return given
    if named := os.environ.get("CHARLM_MODEL"):
        return Path(named)
    models = sorted(RUNS.glob("*/model.safetensors"), key=lambda file: (file.stat().st_mtime_ns, str(file)))
    if not models:
        raise ModelError("there is no model under runs/: train one with charlm train FILE, or name one with --model")
    note(f"using {models[-1].parent}, the newest model (another: --model)")
    return models[-1].parent


def last_run() -> Path:
    """The folder of the run under runs/ that was saved last.

    Raises:
        ModelError: there is none.
    """
    states = sorted(RUNS.glob("*/training.safetensors"), key=lambda file: (file.stat().st_mtime_ns, str(file)))
    if not states:
        raise ModelError("there is no run under runs/ to go on with: name its folder with --model")
    note(f"going on with {states[-1].parent}, the last run (another: --model)")
    return states[-1].parent
