"""The options of a run in a TOML file: one that a person writes, and the one that a run leaves to repeat it.

The keys are the options of ``charlm train`` without their dashes, ``corpus`` for what it is given, and ``model`` for
the folder::

    corpus = ["corpora/fables.txt"]
    hidden = 256
    valid-fraction = 0.05
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from charlm.errors import InputError, OutputError, UsageError
from charlm.training.again import options_of
from charlm.training.checks import check
from charlm.training.language import LanguageSubject
from charlm.training.options import MEANINGS, Options, flags
from charlm.training.run import Run

CORPUS, MODEL = "corpus", "model"
_NAMES = {flag[2:]: name for flag, name in zip(flags(MEANINGS), MEANINGS, strict=True)}
"""Key in the file -> option."""
_KEYS = {name: key for key, name in _NAMES.items()}


class Given(NamedTuple):
    """What a file says.

    Attributes:
        corpus: names of texts; none where it does not say.
        model: the folder.
        options: all others.
    """

    corpus: list[str]
    model: str | None
    options: Options


def read(path: Path) -> Given:
    """Read a file of options.

    Raises:
        InputError: it cannot be read, or is no TOML.
        UsageError: a key is unknown, or a value makes no sense.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Name another with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is no TOML file: {error}. A line of it is like: hidden = 256") from error
    unknown = sorted(set(found) - set(_NAMES) - {CORPUS, MODEL})
    if unknown:
        raise UsageError(f"{path}: unknown key {unknown[0]!r}. There are {CORPUS}, {MODEL}, {', '.join(_NAMES)}")
    corpus, model = found.pop(CORPUS, []), found.pop(MODEL, None)
    corpus = [corpus] if isinstance(corpus, str) else corpus
    if not isinstance(corpus, list) or not all(isinstance(name, str) for name in corpus):
        raise UsageError(f"{path}: {CORPUS} must be the name of a text, or a list of names")
    if not isinstance(model, str | None):
        raise UsageError(f"{path}: {MODEL} must be the name of a folder")
    options: Any = {_NAMES[key]: value for key, value in found.items()}
    try:
        check(options)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return Given(corpus, model, options)


def write(run: Run[LanguageSubject]) -> None:
    """Write what repeats a run into its folder: everything that was chosen, and everything that was picked.

    Raises:
        OutputError: it cannot be written.
    """
    import tomli_w  # noqa: PLC0415 - only where a run begins

    subject, about = run.subject, run.about
    options = options_of(subject.model, subject.text, run.train.to_json(), about)
    record: dict[str, Any] = {CORPUS: about["corpus"]["paths"], MODEL: str(run.folder.path)}
    record |= {_KEYS[name]: value for name, value in options.items()}
    try:
        text = tomli_w.dumps(record)
        data = f"# charlm train --config THIS_FILE --model OTHER repeats the run.\n{text}".encode()
    except UnicodeEncodeError as error:
        raise OutputError(f"the name of a file of this run is no UTF-8 ({error}): rename it") from error
    run.folder.save_config(data)
