"""What a corpus is read from: files, folders, patterns and standard input become a row of sources."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO, NoReturn

from charlm.errors import InputError, UsageError
from charlm.text.progress import UNWATCHED, Progress, Report
from charlm.text.reading import COMPRESSIONS, Source, file_source, find_binary, is_folder, read_head

STANDARD_INPUT = "-"

# A folder in which this lies is a run's; its log is no text, and has grown since the run read the folder around it.
_MODEL = "model.safetensors"


@dataclass(frozen=True)
class Texts:
    """Texts that make one corpus together, in this order.

    Attributes:
        name: What messages call all of them.
        sources: Each of them; an <EOS> closes every one.
        skipped: Files that were found but left out, being empty or binary.
        given: The names that they were found by, as given.
        stem: What a run on them is called, if there is one obvious name: that of the only file, without its
            suffix, or of the only folder.
        rereadable: Whether they can be read a second time.
        progress: Follows how they are read and encoded.
    """

    name: str
    sources: tuple[Source, ...]
    skipped: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    stem: str | None = None
    rereadable: bool = False
    progress: Progress = UNWATCHED

    def watched(self, report: Report) -> "Texts":
        """The same texts, telling how far it has come with them."""
        return replace(self, progress=Progress(report))


def _standard_input() -> BinaryIO:
    return sys.stdin.buffer


def _unread(stream: BinaryIO) -> BinaryIO:
    # For a reader, what is closed has ended; it would seem to hold nothing.
    if stream.closed:
        raise InputError("standard input was read already, and can be read only once: name a file instead")
    return stream


def find_texts(
    given: Sequence[str | Path],
    *,
    encoding: str | None = "utf-8",
    standard_input: Callable[[], BinaryIO] = _standard_input,
) -> Texts:
    """Find the texts that these names stand for, in the order of the names.

    A name is, whatever comes first in this list:

    1.  "-": standard input.
    2.  A file.
    3.  A folder: the files in it and in its folders, ordered by their paths' code points. Hidden ones (their
        names begin with a dot), folders that hold a trained model, and empty and binary files are left out.
        Links are followed, but no folder is entered twice.
    4.  A pattern of ``*``, ``?``, ``[...]`` and, for any number of folders, ``**``: the files that match,
        ordered and left out as in a folder. ``**`` follows no links to folders.

    A file that is found twice is read once, in the first of its places. Standard input and files that are named
    themselves are opened only to be read, so that pipes can be named too; whether they are text shows then.

    Args:
        given: The names.
        encoding: What the texts are encoded in, which decides what is binary; None if their bytes are read, and
            nothing is.
        standard_input: Opens standard input.

    Raises:
        InputError: There is no such file, or a folder or a pattern yields no text.
        UsageError: There is no name, standard input is named twice, or there is no such encoding.
    """
    names = tuple(map(str, given))
    if not names:
        raise UsageError("name a text: a file, a folder, a pattern such as 'texts/*.txt', or - for standard input")
    if names.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) is named twice, but it can be read only once")
    piped = Source("standard input", lambda: _unread(standard_input()))
    found = [
        _Found(((name, piped),), rereadable=False) if name == STANDARD_INPUT else _find(name, encoding)
        for name in names
    ]
    sources: dict[str, Source] = {}
    for each in found:
        for identity, source in each.sources:
            sources.setdefault(identity, source)
    return Texts(
        name=_name(names, tuple(sources.values())),
        sources=tuple(sources.values()),
        skipped=tuple(dict.fromkeys(path for each in found for path in each.skipped)),
        given=names,
        stem=found[0].stem if len(found) == 1 else None,
        rereadable=all(each.rereadable for each in found),
    )


def _name(names: tuple[str, ...], sources: tuple[Source, ...]) -> str:
    if len(sources) == 1:
        return sources[0].name
    labels = ["standard input" if name == STANDARD_INPUT else name for name in names]
    if len(labels) > 2:  # noqa: PLR2004 - the first and the last are enough
        labels[1:-1] = ["..."]
    return f"{', '.join(labels)} ({len(sources)} files)"


# Sources, each with what it really is, so that none is read twice.
_Identified = tuple[tuple[str, Source], ...]


@dataclass(frozen=True)
class _Found:
    """What one name stands for.

    Attributes:
        sources: What is to be read.
        skipped: Paths of files left out.
        stem: What a run on it alone is called.
        rereadable: Whether it can be read a second time.
    """

    sources: _Identified
    skipped: tuple[str, ...] = ()
    stem: str | None = None
    rereadable: bool = True


def _find(name: str, encoding: str | None) -> _Found:
    path = Path(name)
    if not name:
        raise InputError("no such file: its name is empty")
    if is_folder(path):
        sources, skipped = _sift(_walk(path), encoding, f"{name} is a directory without any text")
        # Made absolute, "." and ".." have a name too; the root has none.
        return _Found(sources, skipped, Path(os.path.abspath(name)).name or None)  # noqa: PTH100 - a link keeps its name
    if not _exists(path):
        first = _first_wildcard(path)
        if first is not None:
            return _Found(*_sift(_match(path, first), encoding, f"no text matches {name}"))
        # Opening it says what is wrong.
        file_source(path).open().close()
    regular = path.is_file()
    return _Found(_identified([path]), stem=_stem(path) if regular else None, rereadable=regular)


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where a name is too long


def _stem(path: Path) -> str:
    return Path(path.stem if path.suffix.lower() in COMPRESSIONS else path).stem


def _identified(paths: Iterable[Path]) -> _Identified:
    return tuple((str(path.resolve()), file_source(path)) for path in paths)


def _walk(top: Path) -> Iterator[Path]:
    """The paths in a folder and its folders, but for hidden ones and runs."""
    entered = set()
    for here, folders, files in os.walk(top, onerror=_refuse, followlinks=True):
        folder = Path(here)
        real = folder.resolve()
        if real in entered or (_MODEL in files and folder != top):
            folders.clear()
            continue
        entered.add(real)
        # In this order, so that of two links to one folder it is always the same that is followed.
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (folder / name for name in files if not _is_hidden(name))


def _refuse(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename} cannot be listed: {error.strerror or error}") from error


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _first_wildcard(path: PurePath) -> int | None:
    """The place of the first of the path's parts that matches more than itself."""
    places = enumerate(path.parts)
    return next((place for place, part in places if part != path.anchor and any(mark in part for mark in "*?[")), None)


def _match(pattern: Path, first: int) -> Iterator[Path]:
    """The paths that match a pattern; hidden ones only where the pattern spells out the dots of their names."""
    folder, rest = Path(*pattern.parts[:first]), Path(*pattern.parts[first:])
    try:
        # Python's versions do not agree on whether a last "**" is for files too.
        found = list(folder.glob(str(rest / "*" if rest.name == "**" else rest)))
    except ValueError as error:
        raise InputError(f"no text matches {pattern}: {error}") from error
    return (path for path in found if _dots(path) <= _dots(pattern))


def _dots(path: Path) -> int:
    return sum(map(_is_hidden, path.parts))


def _sift(paths: Iterable[Path], encoding: str | None, nothing: str) -> tuple[_Identified, tuple[str, ...]]:
    """Sort what was found into texts and files to leave out.

    Raises:
        InputError: None is a text; `nothing` is how the message begins.
    """
    verdicts = {path: _may_be_text(path, encoding) for path in sorted(filter(Path.is_file, paths), key=Path.as_posix)}
    if not any(verdicts.values()):
        raise InputError(f"{nothing}: {_why_nothing(len(verdicts), encoding)}")
    return (
        _identified(path for path, is_text in verdicts.items() if is_text),
        tuple(str(path) for path, is_text in verdicts.items() if not is_text),
    )


def _why_nothing(files: int, encoding: str | None) -> str:
    if not files:
        return "there is no file, hidden ones apart"
    which = "the only file is" if files == 1 else f"the {files} files are"
    if encoding is None:
        return f"{which} empty"
    return f"{which} empty or binary; name a text file, or train on bytes with --level byte"


def _may_be_text(path: Path, encoding: str | None) -> bool:
    head = read_head(file_source(path))
    return bool(head) and (encoding is None or find_binary(head, encoding) is None)
