"""Which model a command means."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import note
from charlm.errors import ModelError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.labelling.model import Labeler

RUNS = Path("runs")
MODEL_FILE, STATE_FILE = "model.safetensors", "training.safetensors"
LANGUAGE_MODEL = "language model"
_TRAINS = {
    LANGUAGE_MODEL: "charlm train",
    "tagger": "charlm tag train",
    "classifier": "charlm classify train",
    "n-gram model": "charlm ngram train",
}
"""Kinds of model, and what trains them."""
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
LabelOption = Annotated[
    str | None,
    typer.Option("--label", help="The label to read the text under, for a model trained with --labels."),
]
PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="Also write a plot, .svg or .png (needs charlm[plot]).", show_default=False),
]
UnkVocabularyOption = Annotated[
    int,
    typer.Option(
        "--unk-vocabulary",
        help="How many words share the probability of <UNK> evenly: each unknown one has its share.",
        show_default="1: all of it",
    ),
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


def load_labels(given: Path | None, kind: str) -> "Labeler":
    """Load the tagger or classifier that is meant; otherwise as ``load``."""
    import numpy as np  # noqa: PLC0415 - NumPy is loaded only when it is used

    from charlm.labelling.model import load_labeler  # noqa: PLC0415 - likewise

    np.seterr(all="ignore")
    return load_labeler(locate(given, kind), kind)


def locate(given: Path | None, kind: str | None = LANGUAGE_MODEL) -> Path:
    """The path of the model that is meant.

    Args:
        given: what was named.
        kind: of model, such as "tagger", where none was named; None for any.

    Raises:
        ModelError: none is named and there is none of this kind under runs/.
    """
    if given is not None:
        return given
    if named := os.environ.get("CHARLM_MODEL"):
        return Path(named)
    newest = _newest(MODEL_FILE, kind)
    if newest is None:
        command = _TRAINS[kind or LANGUAGE_MODEL]
        what = kind or "model"
        raise ModelError(f"there is no {what} under runs/: train one with {command} FILE, or name one with --model")
    note(f"using {newest}, the newest {'model' if kind in (None, LANGUAGE_MODEL) else kind} (another: --model)")
    return newest


def kind_at(path: Path) -> str | None:
    """What the model of a folder, or a file, says that it is; None where it cannot be read."""
    return _kind_of(path / MODEL_FILE if os.path.isdir(path) else path)  # noqa: PTH112 - Path.is_dir raises where it may not look


def last_run(kind: str = LANGUAGE_MODEL) -> Path:
    """The folder of the run of this kind under runs/ that was saved last.

    Raises:
        ModelError: there is none.
    """
    newest = _newest(STATE_FILE, kind)
    what = "run" if kind == LANGUAGE_MODEL else f"run of a {kind}"
    if newest is None:
        raise ModelError(f"there is no {what} under runs/ to go on with: name its folder with --model")
    note(f"going on with {newest}, the last {what} (another: --model)")
    return newest


def _newest(name: str, kind: str | None) -> Path | None:
    """The folder under runs/ whose file of this name is the newest, those of other kinds left out."""
    files = sorted(RUNS.glob(f"*/{name}"), key=lambda file: (file.stat().st_mtime_ns, str(file)), reverse=True)
    return next((file.parent for file in files if kind is None or _kind_of(file) in (kind, None)), None)


def _kind_of(file: Path) -> str | None:
    """What a model or the state of a run says that it is; None where it cannot be read, which loading it explains."""
    from charlm.files import read_metadata  # noqa: PLC0415 - NumPy is loaded only when it is used

    try:
        metadata = read_metadata(file)
        if file.name == STATE_FILE:
            return str(metadata["state"]["run"]["text"].get("kind", LANGUAGE_MODEL))
        return str(metadata["kind"])
    except (ModelError, KeyError, TypeError, AttributeError):
        return None
