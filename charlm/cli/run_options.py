"""The options of commands that train, as typer reads them off a signature: made from the one list there is of them."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_origin

import typer

from charlm.config import require
from charlm.errors import UsageError
from charlm.training.options import Meaning, flag_of

_MORE = (
    ("config", str, "--config", "Take the options from this TOML file; those that are typed go first."),
    ("stop_at", int, "--stop-at", "Stop after this step of the run, with the work saved; --resume goes on."),
    (
        "replay",
        str,
        "--replay",
        "Do the run of this folder once more by its log: the same steps, whatever the clock says.",
    ),
    ("plot", str, "--plot", "With --find-lr: also write a plot, .svg or .png (needs charlm[plot])."),
)
_FLAGS = (
    ("resume", "--resume", "Continue a run that was stopped: that in --model, or the last one under runs/."),
    ("overwrite", "--overwrite", "Replace the model in the folder."),
    ("dry_run", "--dry-run", "Show what the run would be and how long it would take, and write nothing."),
    ("find_lr", "--find-lr", "Try rising learning rates in a short run, suggest one, and write no model."),
    ("as_json", "--json", "With --find-lr: write what it finds as JSON."),
    ("quiet", "--quiet", "Show errors only."),
)
_FLAG_OF = {name: flag for name, *_, flag, _ in _MORE} | {name: flag for name, flag, _ in _FLAGS}
_EXCLUSIVE = (
    ("resume", "continues a run that was begun", ("overwrite", "config", "dry_run", "replay", "find_lr")),
    ("replay", "does a run once more as it was", ("config", "dry_run", "stop_at", "find_lr")),
    ("find_lr", "writes no model", ("overwrite", "dry_run", "stop_at")),
)
"""What can be asked for, in words, and what does not go with it."""
_ALWAYS = ("overwrite", "quiet")
"""Those that commands have, too, whose work is done in one go."""


class Asked(NamedTuple):
    """What was typed besides files, folder and options."""

    config: str | None
    stop_at: int | None
    replay: str | None
    plot: str | None
    resume: bool
    overwrite: bool
    dry_run: bool
    find_lr: bool
    as_json: bool
    quiet: bool


def sorted_out(given: dict[str, Any]) -> tuple[Asked, dict[str, Any]]:
    """What was typed, and the options that were chosen.

    Raises:
        UsageError: they do not go together.
    """
    asked = Asked(**{name: given.pop(name) for name in Asked._fields})
    if asked.stop_at is not None:
        require("--stop-at", asked.stop_at, minimum=1)
    for mode, why, others in _EXCLUSIVE:
        unfit = [_FLAG_OF[name] for name in others if getattr(asked, name)]
        if getattr(asked, mode) and unfit:
            raise UsageError(f"{_FLAG_OF[mode]} {why}: leave out {', '.join(unfit)}")
    alone = [_FLAG_OF[name] for name in ("as_json", "plot") if getattr(asked, name)]
    if alone and not asked.find_lr:
        raise UsageError(f"{alone[0]} goes with --find-lr: add that, or leave it out")
    return asked, {name: value for name, value in given.items() if value is not None}


def take_options(
    command: Callable[..., None],
    options: Mapping[str, tuple[Any, Meaning]],
    files: str,
    folder: str,
    *,
    resumable: bool = True,
    refused: Mapping[str, tuple[Any, Meaning]] | None = None,
) -> Callable[..., None]:
    """Give a command these options.

    Args:
        command: takes the files, the folder and the rest as keywords.
        options: type and meaning of each by its name.
        files: what the help says of the files.
        folder: what it says of the folder where none is named.
        resumable: whether it begins runs that can be stopped and gone on with.
        refused: options that are understood in order to say why they are refused; the help is silent about them.
    """
    hidden = [_parameter(name, *about, hidden=True) for name, about in (refused or {}).items()]
    signature = Signature([*_parameters(options, files, folder, resumable=resumable), *hidden])
    command.__signature__ = signature  # type: ignore[attr-defined]  # as inspect.signature documents it
    command.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return command


def _option(*names: str, text: str, default: str | None = None, hidden: bool = False) -> typer.models.OptionInfo:
    # Whether a path can be read is found out, and said, where it is read.
    option: typer.models.OptionInfo = typer.Option(
        *names, help=text, show_default=default or False, readable=False, hidden=hidden
    )
    return option


def _parameter(name: str, kind: Any, meaning: Meaning, *, hidden: bool = False) -> Parameter:
    """One of the options of a run as a parameter of the command."""
    # A path or a length of time is typed as text.
    kind = str if get_origin(kind) is UnionType else kind
    flag = flag_of(name, meaning)
    if kind is bool and meaning.default:
        flag = f"{flag}/--no-{flag[2:]}"
    option = _option(flag, text=meaning.text, default=meaning.default, hidden=hidden)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def _parameters(
    options: Mapping[str, tuple[Any, Meaning]], files: str, folder: str, *, resumable: bool
) -> list[Parameter]:
    fixed = [
        Parameter(
            "corpus",
            Parameter.POSITIONAL_OR_KEYWORD,
            default=None,
            annotation=Annotated[list[str] | None, typer.Argument(help=files, show_default=False)],
        ),
        Parameter(
            "model",
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[Path | None, _option("--model", "-m", text="Folder to write.", default=folder)],
        ),
    ]
    chosen = [_parameter(name, *about) for name, about in options.items()]
    flags = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, typer.Option(flag, *(["-q"] if name == "quiet" else []), help=text)],
        )
        for name, flag, text in _FLAGS
        if resumable or name in _ALWAYS
    ]
    more = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, _option(flag, text=text)]
        )
        for name, kind, flag, text in _MORE
    ]
    return [*fixed, *chosen, *(more if resumable else ()), *flags]
