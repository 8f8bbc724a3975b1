"""``charlm tune``: what adapts a model best, chosen on a text and kept with the model."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.adaptation import MECHANISMS, taken, tuned_lines
from charlm.cli.choices import with_options
from charlm.cli.console import note, result, result_json
from charlm.cli.evaluate import part_of
from charlm.cli.find import JsonOption, ModelOption, load, locate
from charlm.cli.preparing import preparing

if TYPE_CHECKING:
    from charlm.adapting.tuning import Budget, Material
    from charlm.checkpoint import TrainedModel


def _tune(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts to choose on, as for eval. Default: the validation part of the model's own corpus.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens", help="Most tokens of the text to choose on.", show_default="20,000")
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", help="After this no more numbers of --dynamic are tried, such as 90s or 5m.", show_default="5m"
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the file.", show_default="as trained")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not say what is tried.")] = False,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """What adapts a model best: chosen on a text, and kept with the model for --tuned.

    Name the mechanisms: --dynamic rms, --cache 2000, --ngrams MODEL, --mix MODEL, or several of them. Numbers that are
    not given are chosen; of --cache the size is the largest that is tried. What was kept before is replaced.
    """
    from charlm.adapting.tuning import check_tuning, tune  # noqa: PLC0415 - NumPy is loaded only when it is used

    asked = taken(given)
    check_tuning(asked)
    budget = _budget(tokens, time)
    path = locate(model)
    trained = load(path)
    squares = asked.get("dynamic") == "rms"
    report = (lambda _what, _nats: None) if quiet else _tell
    found = tune(trained, asked, lambda: _material(trained, corpus, encoding, squares=squares), budget, report)
    from charlm.adapting.kept import keep  # noqa: PLC0415 - as above

    kept = keep(path, found)
    if as_json:
        result_json(found.to_json())
    else:
        for line in (*tuned_lines(found), f"kept in {kept}, for --tuned"):
            result(line)


def _tell(what: str, nats: float) -> None:
    note(f"{nats:.4f} nats a token {what}")


def _budget(tokens: int | None, time: str | None) -> "Budget":
    """How much is tried.

    Raises:
        UsageError: a number is out of its range.
    """
    from charlm.adapting.tuning import SECONDS, TOKENS, Budget  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.training.chosen import seconds_of  # noqa: PLC0415 - likewise

    seconds = None if time is None else seconds_of({"time": time})
    return Budget(TOKENS if tokens is None else tokens, SECONDS if seconds is None else seconds)


def _material(trained: "TrainedModel", corpus: list[str] | None, encoding: str | None, *, squares: bool) -> "Material":
    """What to choose on: texts that were named, or those that the model was trained and validated on.

    Args:
        trained: the model.
        corpus: texts that were named.
        encoding: of them.
        squares: whether gradients on training text are needed, too.

    Raises:
        InputError: they cannot be read, or have changed.
    """
    from charlm.adapting.from_python import training  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.adapting.tuning import Material  # noqa: PLC0415 - likewise
    from charlm.training import setup  # noqa: PLC0415 - likewise

    if corpus:
        return Material(", ".join(corpus), part_of(trained, corpus, encoding), training(trained) if squares else None)
    texts, valid = setup.own_texts(trained)
    name = f"the validation part of {(valid or texts).name}"
    note(f"choosing on {name}")
    with preparing(quiet=False) as watched:
        own = setup.own_corpus(trained, watched(texts), valid)
    return Material(name, own.valid, own.train)


tune = with_options(_tune, MECHANISMS)
"""The command."""
