"""The options of a run in a TOML file: one that a person writes, and the one that a run leaves to repeat it.

The keys are the options of the command without their dashes, ``corpus`` for what it is given, and ``model`` for the
folder::

    corpus = ["corpora/fables.txt"]
    hidden = 256
    valid-fraction = 0.05
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from charlm.errors import InputError, OutputError, UsageError
from charlm.training.options import Meaning, flag_of
from charlm.training.run_folder import RunFolder

CORPUS, MODEL = "corpus", "model"
Known = Mapping[str, tuple[Any, Meaning]]
"""Type and meaning of every option of a command."""


class Given(NamedTuple):
    """What a file says.

    Attributes:
        corpus: names of texts; none where it does not say.
        model: the folder.
        options: all others.
    """

    corpus: list[str]
    model: str | None
    options: dict[str, Any]


def _keys(known: Known) -> dict[str, str]:
    """Key in the file -> option."""
    return {flag_of(name, meaning)[2:]: name for name, (_, meaning) in known.items()}


def read(path: Path, known: Known, check: Callable[[Any], None]) -> Given:
    """Read a file of options.

    Args:
        path: of the file.
        known: the options of the command that it is for.
        check: refuses options that make no sense.

    Raises:
        InputError: it cannot be read, or is no TOML.
        UsageError: a key is unknown, or a value makes no sense.
    """
    names = _keys(known)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Name another with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is no TOML file: {error}. A line of it is like: hidden = 256") from error
    unknown = sorted(set(found) - set(names) - {CORPUS, MODEL})
    if unknown:
        raise UsageError(f"{path}: unknown key {unknown[0]!r}. There are {CORPUS}, {MODEL}, {', '.join(names)}")
    corpus, model = found.pop(CORPUS, []), found.pop(MODEL, None)
    corpus = [corpus] if isinstance(corpus, str) else corpus
    if not isinstance(corpus, list) or not all(isinstance(name, str) for name in corpus):
        raise UsageError(f"{path}: {CORPUS} must be the name of a text, or a list of names")
    if not isinstance(model, str | None):
        raise UsageError(f"{path}: {MODEL} must be the name of a folder")
    options = {names[key]: value for key, value in found.items()}
    try:
        check(options)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return Given(corpus, model, options)


def write(folder: RunFolder, command: str, corpus: Iterable[str], options: Mapping[str, Any], known: Known) -> None:
    """Write what repeats a run into its folder: everything that was chosen, and everything that was picked.

    Args:
        folder: of the run.
        command: what begins one, such as "train".
        corpus: names of the texts.
        options: all of them.
        known: the options of the command.

    Raises:
        OutputError: it cannot be written.
    """
    import tomli_w  # noqa: PLC0415 - only where a run begins

    keys = {name: key for key, name in _keys(known).items()}
    record: dict[str, Any] = {CORPUS: list(corpus), MODEL: str(folder.path)}
    record |= {keys[name]: value for name, value in options.items()}
    try:
        text = tomli_w.dumps(record)
        data = f"# charlm {command} --config THIS_FILE --model OTHER repeats the run.\n{text}".encode()
    except UnicodeEncodeError as error:
        raise OutputError(f"the name of a file of this run is no UTF-8 ({error}): rename it") from error
    folder.save_config(data)
