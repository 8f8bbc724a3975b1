"""Options in groups, as typer reads them off a signature: for those that several commands have, or that are many."""

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Annotated, Any, NamedTuple

import typer


class Choice(NamedTuple):
    """An option.

    Attributes:
        name: by which the command, or what it hands its options to, knows it.
        kind: its type; None is for where it is not given.
        flags: what is typed.
        text: what it means.
        default: what is used where it is not given, in words; None where that goes without saying.
    """

    name: str
    kind: Any
    flags: tuple[str, ...]
    text: str
    default: str | None = None


def with_options(command: Callable[..., None], *groups: Sequence[Choice]) -> Callable[..., None]:
    """Give a command the options of some groups, in place of its ``**`` parameter."""
    own = signature(command)
    fixed = [each for each in own.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    more = [_parameter(each) for group in groups for each in group]
    found = own.replace(parameters=[*fixed, *more])
    command.__signature__ = found  # type: ignore[attr-defined]  # as inspect.signature documents it
    command.__annotations__ = {name: each.annotation for name, each in found.parameters.items()}
    return command


def chosen(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were typed."""
    return {name: value for name, value in given.items() if value is not None and value is not False and value != []}


def typed(given: dict[str, Any], *groups: Sequence[Choice]) -> list[str]:
    """The flags of these groups that were typed."""
    return [choice.flags[0] for group in groups for choice in group if choice.name in given]


def _parameter(choice: Choice) -> Parameter:
    option = typer.Option(*choice.flags, help=choice.text, show_default=choice.default or False)
    kind, default = (bool, False) if choice.kind is bool else (choice.kind | None, None)
    return Parameter(choice.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
