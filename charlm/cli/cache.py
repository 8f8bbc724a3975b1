"""``charlm cache``: the token ids that are kept on the disk."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import counted, note, result
from charlm.config import with_unit
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.cache.folder import CacheFolder, Kept

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGES = (("day", 86400), ("hour", 3600), ("minute", 60))


def cached(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is kept.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", help="With --clear: only what was not used for so long, as 30d or 12h."),
    ] = None,
    path: Annotated[bool, typer.Option("--path", help="Show the folder only.")] = False,
) -> None:
    """What is kept of texts: token ids of large ones, and for charlm sample --novelty the order of their suffixes.

    They are in $CHARLM_CACHE, else in the user's folder for caches; with an empty CHARLM_CACHE nothing is kept.
    What was used longest ago goes when they take more than 10 GB together.
    """
    from charlm.cache.folder import CacheFolder, default_folder  # noqa: PLC0415 - --help does not need NumPy

    if older_than is not None and not clear:
        raise UsageError("--older-than says what to remove: add --clear")
    if clear and path:
        raise UsageError("--clear and --path do not go together: leave out one")
    seconds = 0.0 if older_than is None else _seconds(older_than)
    folder = default_folder()
    if folder is None:
        note("nothing is kept: CHARLM_CACHE is empty")
    elif path:
        result(str(folder))
    elif clear:
        gone = CacheFolder(folder).clear(seconds)
        note(f"{counted(len(gone), 'text')} removed, {_size(sum(each.size for each in gone))}")
    else:
        _list(CacheFolder(folder))


def _seconds(text: str) -> float:
    seconds = with_unit(text, _UNITS)
    if seconds is None:
        raise UsageError(f"--older-than is {text!r}: give a length of time such as 30d, 12h or 2w")
    return seconds


def _list(folder: "CacheFolder") -> None:
    kept = folder.kept(labels=True)
    if kept:
        result(f"{'size':>9}  {'last used':<15}  text")
    for each in kept:
        result(f"{_size(each.size):>9}  {_age(time.time() - each.used):<15}  {_about(each)}")
    total = _size(sum(each.size for each in kept))
    result(f"{counted(len(kept), 'text')}, {total} of at most {_size(folder.most_bytes)}, in {folder.path}")
    try:
        folder.check()
    except OSError as error:
        note(f"{folder.path} cannot be written, so nothing more is kept: {error.strerror or error}")


def _about(each: "Kept") -> str:
    label = each.label
    if label is None:
        return "damaged; it will be made anew"
    if "sections" not in label:
        return f"what samples are searched for in ({counted(label['tokens'], 'token')})"
    tokens = sum(label["sections"][part][2] for part in ("train", "valid"))
    lines = ", independent lines" if label["independent_lines"] else ""
    lower = ", lower case" if label["lowercase"] else ""
    types = label["sections"]["counts"][2]
    return (
        f"{label['name']} ({label['level']} level, unit {label['unit']}{lines}{lower}; "
        f"{counted(tokens, 'token')}, vocabulary of {types:,})"
    )


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"  # noqa: PLR2004 - a gigabyte


def _age(seconds: float) -> str:
    for unit, length in _AGES:
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"
    return "just now"
