"""Writes docs/reference.md from the commands themselves: ``python docs/make_reference.py docs/reference.md``."""

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

from charlm.cli.commands import application
from charlm.errors import CharlmError

HEADER = """# Reference

Every command and every option. Made from the code by `make docs`; a test keeps it true.

Results go to standard output, everything else to standard error.
"""


def reference() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(application())
    parts = [HEADER]
    for name, command in root.commands.items():
        below = getattr(command, "commands", {})
        parts += [_command(f"{name} {each}", found) for each, found in below.items()] or [_command(name, command)]
    return "\n".join([*parts, _exit_statuses()])


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join(["charlm", name, "[OPTIONS]", *(f"[{a.name.upper()}]" for a in arguments)])
    lines = [f"## charlm {name}", "", inspect.cleandoc(command.help or "").replace("<", "&lt;"), "", f"    {usage}", ""]
    lines += ["| option | meaning | default |", "| --- | --- | --- |"]
    lines += [_row(f"`{a.name.upper()}`", a) for a in arguments]
    lines += [_row(", ".join(f"`{o}`" for o in (*p.opts, *p.secondary_opts)), p) for p in options]
    return "\n".join([*lines, ""])


def _row(name: str, parameter: Any) -> str:
    shown = parameter.show_default if isinstance(parameter.show_default, str) else ""
    if not shown and parameter.show_default and parameter.default not in (None, False, ""):
        shown = str(parameter.default)
    row = f"| {name} | {parameter.help or ''} | {shown} |"
    return row.replace("<", "&lt;")


def _exit_statuses() -> str:
    kinds = sorted((kind.exit_status, inspect.getdoc(kind) or "") for kind in CharlmError.__subclasses__())
    rows = [f"| {status} | {text} |" for status, text in kinds]
    other = ["| 0 | All went well, or the reader of the output closed the pipe. |", "| 1 | Anything else. |"]
    last = "| 130 | Ctrl-C or a termination signal; training saves its work first. |"
    return "\n".join(["## Exit statuses", "", "| status | meaning |", "| --- | --- |", *other, *rows, last, ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
