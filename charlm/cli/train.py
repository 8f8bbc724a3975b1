"""``charlm train``: from a text to a model."""

from inspect import Parameter, Signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_origin

import typer

from charlm.config import require
from charlm.errors import UsageError
from charlm.training.options import TYPES_AND_MEANINGS, Meaning, flag_of


def _option(*names: str, text: str, default: str | None = None) -> typer.models.OptionInfo:
    # Whether a path can be read is found out, and said, where it is read.
    option: typer.models.OptionInfo = typer.Option(*names, help=text, show_default=default or False, readable=False)
    return option


def _parameter(name: str, kind: Any, meaning: Meaning) -> Parameter:
    """One of the options of a run as a parameter of the command."""
    # A path or a length of time is typed as text.
    kind = str if get_origin(kind) is UnionType else kind
    flag = flag_of(name, meaning)
    if kind is bool and meaning.default:
        flag = f"{flag}/--no-{flag[2:]}"
    option = _option(flag, text=meaning.text, default=meaning.default)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


_FIXED = (
    Parameter(
        "corpus",
        Parameter.POSITIONAL_OR_KEYWORD,
        default=None,
        annotation=Annotated[
            list[str] | None,
            typer.Argument(
                help="Text files, folders or patterns; .gz, .bz2 and .xz are unpacked; - is standard input.",
                show_default=False,
            ),
        ],
    ),
    Parameter(
        "model",
        Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None, _option("--model", "-m", text="Folder to write.", default="runs/<name of the corpus>")
        ],
    ),
)
_MORE = (
    ("config", str, "--config", "Take the options from this TOML file; those that are typed go first."),
    ("stop_at", int, "--stop-at", "Stop after this step of the run, with the work saved; --resume goes on."),
)
_FLAGS = (
    ("resume", "--resume", "Continue a run that was stopped: that in --model, or the last one under runs/."),
    ("overwrite", "--overwrite", "Replace the model in the folder."),
    ("dry_run", "--dry-run", "Show what the run would be and how long it would take, and write nothing."),
    ("quiet", "--quiet", "Show errors only."),
)


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Train a model on a text. Ctrl-C stops it with the work saved; --resume goes on."""
    from charlm.cli import training  # noqa: PLC0415 - NumPy is loaded only when it is used

    resume, overwrite, dry_run, quiet = (given.pop(name) for name, _, _ in _FLAGS)
    config, stop_at = (given.pop(name) for name, _, _, _ in _MORE)
    options: Any = {name: value for name, value in given.items() if value is not None}
    if stop_at is not None:
        require("--stop-at", stop_at, minimum=1)
    if resume:
        unfit = [
            flag for flag, given in (("--overwrite", overwrite), ("--config", config), ("--dry-run", dry_run)) if given
        ]
        if unfit:
            raise UsageError(f"--resume continues a run that was begun: leave out {', '.join(unfit)}")
        training.resume_here(model, corpus or [], options, stop_at=stop_at, quiet=quiet)
        return
    corpus, model, options = training.with_config(config, corpus or [], model, options)
    if not corpus:
        raise UsageError("name a text to train on: charlm train FILE (or --resume to go on with a run)")
    if dry_run:
        training.try_here(model, corpus, options)
    else:
        training.begin_here(model, corpus, options, overwrite=overwrite, stop_at=stop_at, quiet=quiet)


def _parameters() -> list[Parameter]:
    chosen = [_parameter(name, *about) for name, about in TYPES_AND_MEANINGS.items()]
    flags = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, typer.Option(flag, *(["-q"] if name == "quiet" else []), help=text)],
        )
        for name, flag, text in _FLAGS
    ]
    more = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, _option(flag, text=text)]
        )
        for name, kind, flag, text in _MORE
    ]
    return [*_FIXED, *chosen, *more, *flags]


# Typer reads a command's options off its signature: here they come from the one list there is of them.
_SIGNATURE = Signature(_parameters())
train.__signature__ = _SIGNATURE  # type: ignore[attr-defined]  # as inspect.signature documents it
train.__annotations__ = {name: parameter.annotation for name, parameter in _SIGNATURE.parameters.items()}
