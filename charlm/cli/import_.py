"""``charlm import``: a model from a state dict of PyTorch."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from charlm.cli.console import note
from charlm.errors import OutputError


def import_(
    state: Annotated[
        Path,
        typer.Argument(help="A state dict as a safetensors file, or the folder that was exported.", readable=False),
    ],
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder to write.", show_default=False)],
    like: Annotated[
        Path | None,
        typer.Option(
            "--like",
            help="A model whose configuration, vocabulary and record to take.",
            show_default="those of the file",
            readable=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model in the folder.")] = False,
) -> None:
    """A model from a state dict of PyTorch, as charlm export --to pytorch names its tensors.

    What PyTorch itself saves has neither configuration nor vocabulary: --like names the model that it was made from.
    """
    from charlm.checkpoint import model_bytes  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.exchange.pytorch import import_state  # noqa: PLC0415 - likewise
    from charlm.training.run_folder import RunFolder  # noqa: PLC0415 - likewise

    folder = RunFolder(model)
    if folder.occupied() and not overwrite:
        raise OutputError(f"{model} holds a model already: replace it with --overwrite, or name another with --model")
    found = import_state(state, like)
    with closing(folder):
        folder.claim(overwrite=True)
        folder.save_model(model_bytes(found.model))
        folder.forget()
    note(f"wrote {folder.model_file}")
    if found.changed:
        note("its weights are not those of the model it comes from; charlm eval says what they cost")
