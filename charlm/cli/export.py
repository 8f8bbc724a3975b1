"""``charlm export``: a model for other frameworks."""

from pathlib import Path
from typing import Annotated

import typer

from charlm.cli.console import note
from charlm.cli.find import ModelOption, load
from charlm.errors import UsageError

FORMATS = ("pytorch", "onnx")


def export(
    out: Annotated[Path, typer.Argument(help="What to write: a folder for PyTorch, a file for ONNX.")],
    to: Annotated[str, typer.Option("--to", help=f"Format: {' or '.join(FORMATS)}.", show_default=False)],
    model: ModelOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
) -> None:
    """A model for PyTorch or ONNX.

    For PyTorch, a state dict, the script that loads it and scores texts, and the vocabulary; charlm import reads it
    back. For ONNX, one step: "tokens" [batch] and the states in, "log_probabilities" [batch, vocabulary] of the next
    token and the new states out. A text begins with the token -1: whatever the states given, it puts them to the
    initial ones.
    """
    from charlm.config import choose  # noqa: PLC0415 - --help needs none of this
    from charlm.exchange.output import check_folder, write_files  # noqa: PLC0415 - NumPy is loaded only when it is used

    choose("--to", to, FORMATS)
    if str(out) == "-":
        raise UsageError("an export is written to a file or folder, not to standard output: name it")
    if to == "pytorch":
        check_folder(out, overwrite=overwrite)
    trained = load(model)
    if to == "onnx":
        from charlm.exchange.onnx_model import onnx_bytes  # noqa: PLC0415 - likewise

        write_files({out: onnx_bytes(trained)}, overwrite=overwrite)
        note(f"wrote {out}")
    else:
        from charlm.exchange.pytorch import SCORER_FILE, exported_files  # noqa: PLC0415 - likewise

        files = {out / name: data for name, data in exported_files(trained).items()}
        write_files(files, overwrite=overwrite)
        note(f"wrote {', '.join(map(str, files))} (python {out / SCORER_FILE} scores a text)")
