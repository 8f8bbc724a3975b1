"""``charlm rank``: which of several texts is likeliest."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.adaptation import ADAPTING, adapted, taken
from charlm.cli.choices import with_options
from charlm.cli.comparing import UNKNOWN, note_unknown, odds, shown
from charlm.cli.console import note, result, result_json
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load, locate
from charlm.cli.following import Following, following
from charlm.cli.inputs import name_of, source_of
from charlm.cli.table import Column, shortened, table
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.pairs import Accuracy, Judged, Pair
    from charlm.ranking import Alternative
    from charlm.scorer import Scorer

GOOD, BAD, GROUP = "sentence_good", "sentence_bad", "UID"
"""What BLiMP calls the fields of a pair."""
LONGEST_GROUP = 60
"""Characters of a group's name in the table."""
WIDTH = 120


def _rank(
    alternatives: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts to choose among; without any, and without an option that names some, the lines of standard "
            "input.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template", "-t", help='A text with alternatives in braces: "the {pear|pair} salad".', show_default=False
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--alternatives", "-f", help="A file, a text a line.", show_default=False, readable=False),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="A file of pairs, the right one first: JSON lines with sentence_good and sentence_bad, or a table "
            "with tabs.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", help="Field of a pair by which to count.", show_default="UID, or a third column"),
    ] = None,
    normalise: Annotated[
        str | None,
        typer.Option("--normalise", help="Order by the mean of a token or char instead.", show_default=False),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of the file or standard input.", show_default="as trained"),
    ] = None,
    label: LabelOption = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Alternatives by their probability, the likeliest first, with the odds against it; or how often it is right.

    The posterior is the probability of a text if one of them is right and each is as likely beforehand. With --pairs
    every pair has a right sentence and a wrong one, and the share of pairs is given in which the right one is likelier.
    """
    from charlm.config import choose  # noqa: PLC0415 - --help needs none of this

    sources = [each for each in (alternatives, template, file, pairs) if each is not None]
    if len(sources) > 1:
        raise UsageError("give texts, --template, --alternatives or --pairs: one of them")
    if group is not None and pairs is None:
        raise UsageError("--group goes with --pairs: it names what pairs are counted by")
    if normalise is not None:
        if pairs is not None:
            raise UsageError("--normalise is for alternatives: --pairs gives the shares by token and by character, too")
        choose("--normalise", normalise, ("token", "char"))
    if not sources and sys.stdin.isatty():
        raise UsageError('nothing to rank: give texts (charlm rank "a pear" "a pair"), --template, a file, or a pipe')
    texts = alternatives or []
    if template is not None:
        from charlm.templates import expand  # noqa: PLC0415 - as above

        texts = expand(template)
    asked, path = taken(given), locate(model)
    trained = load(path).under(label)
    scorer = adapted(trained, path, asked)
    if pairs is not None:
        with following() as watched:
            _judge(scorer, _pairs(trained, pairs, group, encoding, watched), pairs, watched, as_json=as_json)
        return
    if not texts:
        texts = list(_lines(trained, file, encoding))
    _show_ranked(scorer, texts, normalise, as_json=as_json)


def _lines(trained: "TrainedModel", file: Path | None, encoding: str | None) -> Iterator[str]:
    from charlm.text.inputs import read_lines  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    source = source_of(file)
    for line in read_lines(source, read_as(trained.tokenizer.level, encoding or trained.text.encoding)):
        # Bytes that are no text go on as surrogates, which the byte level turns back.
        yield line if isinstance(line, str) else line.decode("utf-8", "surrogateescape")


def _show_ranked(scorer: "Scorer", texts: list[str], normalise: str | None, *, as_json: bool) -> None:
    from charlm.ranking import rank  # noqa: PLC0415 - NumPy is loaded only when it is used

    if len(set(texts)) < 2:  # noqa: PLR2004 - to choose among
        raise UsageError("there is nothing to choose among: give two texts or more that differ")
    if len(set(texts)) < len(texts):
        note("a text that is given twice counts once")
    found = rank(scorer, texts, normalise)
    if as_json:
        result_json([each.to_json() for each in found])
    else:
        for line in _lines_of(found, normalise):
            result(line)
    if unknown := sum(each.oov > 0 for each in found):
        note_unknown(scorer, unknown)


def _lines_of(found: "list[Alternative]", normalise: str | None) -> Iterator[str]:
    mean = "nats/char" if normalise == "char" else "nats/token"
    yield f"{'posterior':>9} {'odds against':>20} {'nats':>12} {mean:>10}  text"
    for each in found:
        per = each.per_character if normalise == "char" else each.per_token
        yield (
            f"{each.posterior:9.4f} {odds(each.log_odds):>20} {each.logprob:12.4f} {per:10.4f}  {shown(each.text)}"
            + UNKNOWN * (each.oov > 0)
        )


def _pairs(
    trained: "TrainedModel", file: Path, group: str | None, encoding: str | None, watched: Following
) -> "Iterator[Pair]":
    from charlm.labels.fields import Wanted, read_rows  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.pairs import Pair  # noqa: PLC0415 - likewise

    wanted = Wanted((GOOD, BAD), group or GROUP, demanded=group is not None)
    for row in read_rows(watched.read(source_of(file)), encoding or trained.text.encoding, wanted):
        yield Pair(row.values[0], row.values[1], row.group, row.where)


def _judge(scorer: "Scorer", pairs: "Iterator[Pair]", file: Path, watched: Following, *, as_json: bool) -> None:
    from charlm.pairs import accuracies, judge  # noqa: PLC0415 - NumPy is loaded only when it is used

    def passing() -> "Iterator[Judged]":
        for each in judge(scorer, pairs):
            watched.end(1)
            if as_json:
                result_json(each.to_json())
            yield each

    overall, groups = accuracies(passing())
    if not overall.pairs:
        note(f"{name_of(file)} is empty: there was nothing to judge")
        return
    if as_json:
        result_json(
            {"all": overall.to_json(), "groups": {name: found.to_json() for name, found in groups.items()}},
        )
    else:
        for line in _accuracy_table(overall, groups):
            result(line)
    if overall.ties:
        note(f"ties count as half: {overall.ties:,}")
    if overall.unknown:
        note_unknown(scorer, overall.unknown, "pair")


def _accuracy_table(overall: "Accuracy", groups: "dict[str, Accuracy]") -> Iterator[str]:
    found = [*groups.values(), overall]
    names = [shortened(name, LONGEST_GROUP, end=12) or '""' for name in groups]
    columns = [
        Column("pairs", [f"{each.pairs:,}" for each in found]),
        Column("right", [f"{each.accuracy:.1%}" for each in found]),
        Column("+-", [f"{each.standard_error:.1%}" for each in found]),
        Column("ties", [f"{each.ties:,}" for each in found]),
        Column("per token", [f"{each.right_per_token / each.pairs:.1%}" for each in found]),
        Column("per char", [f"{each.right_per_character / each.pairs:.1%}" for each in found]),
        Column("unknown", [f"{each.unknown:,}" for each in found]),
    ]
    yield from table(Column("group", [*names, "all"], left=True), [columns], WIDTH)


rank = with_options(_rank, ADAPTING)
"""The command."""
