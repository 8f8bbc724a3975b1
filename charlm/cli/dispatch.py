"""What was asked of a command that trains: to begin a run, try it out, go on with one, do one again, or find a rate."""

from pathlib import Path
from typing import Any

from charlm.cli import rates, replaying, runs
from charlm.cli.run_options import Asked
from charlm.cli.runs import Trainable
from charlm.errors import UsageError
from charlm.training.changes import LENGTHS
from charlm.training.config_file import read


def train_here(
    kind: Trainable[Any], corpus: list[str], model: Path | None, asked: Asked, options: dict[str, Any]
) -> None:
    """Do what was asked for.

    Raises:
        UsageError: no text is named, or an option is wrong.
    """
    if asked.resume:
        runs.go_on(kind, model, corpus, asked, options)
        return
    if asked.replay is not None:
        replaying.replay(kind, Path(asked.replay), corpus, model, asked, options)
        return
    corpus, model, options = _with_config(kind, asked.config, corpus, model, options)
    if not corpus:
        raise UsageError(f"name a text to train on: charlm {kind.command} FILE (or --resume to go on with a run)")
    if asked.find_lr:
        rates.find(kind, model, corpus, asked, options)
    elif asked.dry_run:
        runs.try_out(kind, model, corpus, options)
    else:
        runs.begin(kind, model, corpus, asked, options)


def _with_config(
    kind: Trainable[Any], file: str | None, corpus: list[str], folder: Path | None, options: dict[str, Any]
) -> tuple[list[str], Path | None, dict[str, Any]]:
    """What a file of options says, and before it what was typed.

    Raises:
        InputError: the file cannot be read.
        UsageError: a key is unknown, or a value makes no sense.
    """
    if file is None:
        return corpus, folder, options
    given = read(Path(file), kind.known, kind.check)
    # A length that is typed takes the place of the file's, whichever that is counted in.
    replaced = LENGTHS if set(options) & set(LENGTHS) else ()
    both = {**{name: value for name, value in given.options.items() if name not in replaced}, **options}
    return corpus or given.corpus, folder or (Path(given.model) if given.model else None), both
