"""``charlm train``: from a text to a model."""

from inspect import Parameter, Signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_origin

import typer

from charlm.errors import UsageError
from charlm.training.options import TYPES_AND_MEANINGS, Meaning, Options, flag_of, flags


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
_FLAGS = (
    ("resume", "--resume", "Continue a run that was stopped, as it was begun."),
    ("overwrite", "--overwrite", "Replace the model in the folder."),
    ("quiet", "--quiet", "Show errors only."),
)


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Train a model on a text. Ctrl-C stops it with the work saved; --resume goes on."""
    from charlm.cli.training import begin_here, resume_here  # noqa: PLC0415 - NumPy is loaded only when it is used

    resume, overwrite, quiet = (given.pop(name) for name, _, _ in _FLAGS)
    options: Any = {name: value for name, value in given.items() if value is not None}
    if not corpus and not (resume and model):
        raise UsageError("name a text to train on: charlm train FILE (or --resume --model FOLDER)")
    if resume:
        if overwrite or options:
            raise UsageError(f"--resume continues the run as it was begun: leave out {_named(options)}")
        resume_here(model, corpus or [], quiet=quiet)
    else:
        begin_here(model, corpus or [], options, overwrite=overwrite, quiet=quiet)


def _named(options: Options) -> str:
    return ", ".join(flags(options)) or "--overwrite"


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
    return [*_FIXED, *chosen, *flags]


# Typer reads a command's options off its signature: here they come from the one list there is of them.
_SIGNATURE = Signature(_parameters())
train.__signature__ = _SIGNATURE  # type: ignore[attr-defined]  # as inspect.signature documents it
train.__annotations__ = {name: parameter.annotation for name, parameter in _SIGNATURE.parameters.items()}
