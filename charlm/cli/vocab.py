"""``charlm vocab``: what a vocabulary holds, what it covers, and how a text is cut."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import counted, result, result_json, visible
from charlm.cli.find import JsonOption, locate
from charlm.cli.inputs import find_texts
from charlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charlm.text.census import Coverage
    from charlm.text.tokenizer import Tokenizer

    Found = tuple[Tokenizer, dict[str, Any], tuple[Coverage, ...], str]

SHOWN_TOKENS = 20


def vocabulary(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts as for train, or a model. Default: the newest model under runs/.", show_default=False
        ),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option("--level", help="What a token is: char, word, token or byte.", show_default="word"),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option("--unit", help="What ends in <EOS>: line, paragraph or file.", show_default="line"),
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Turn the text to lower case.")] = False,
    min_count: Annotated[
        int | None, typer.Option("--min-count", help="Tokens seen less often become <UNK>.", show_default="1")
    ] = None,
    max_vocab: Annotated[
        int | None, typer.Option("--max-vocab", help="Most tokens to have; rarer ones become <UNK>.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the text.", show_default="utf-8")
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", help="How many tokens to list.")] = SHOWN_TOKENS,
    text: Annotated[
        str | None, typer.Option("--text", help="A text to show cut into tokens.", show_default="the beginning")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The vocabulary of texts or of a model: its tokens, how much of the text it covers, and how a text is cut.

    The mark ￭ stands before a token with no space before it.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    require("-n", number, minimum=0)
    found = _of_model if _is_model(corpus) else _of_texts
    options = {
        "level": level, "unit": unit, "lowercase": lowercase or None, "min_count": min_count,
        "max_vocab": max_vocab, "encoding": encoding,
    }  # fmt: skip
    tokenizer, facts, coverage, beginning = found(corpus or [], {k: v for k, v in options.items() if v is not None})
    pieces = tokenizer.cut(beginning if text is None else text)
    if as_json:
        result_json(_as_json(tokenizer, facts, coverage, pieces))
        return
    for line in _lines(tokenizer, facts, coverage, pieces, number):
        result(line)


def _is_model(corpus: list[str] | None) -> bool:
    """Whether a model is meant: none named, a model file, or the folder of one."""
    if not corpus:
        return True
    path = Path(corpus[0])
    return len(corpus) == 1 and (path.suffix == ".safetensors" or (path / "model.safetensors").exists())


def _of_model(corpus: list[str], options: dict[str, Any]) -> "Found":
    from charlm.checkpoint import load_model  # noqa: PLC0415 - NumPy is loaded only when it is used

    if options:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise UsageError(f"a model's vocabulary is what it is: leave out {names}, or name a text")
    model = load_model(Path(corpus[0]) if corpus else locate(None))
    record, tokenizer = model.record["corpus"], model.tokenizer
    facts = {
        "tokens": record["train_tokens"],
        "types": None,
        "unknown": record["train_unknown"],
    }
    return tokenizer, facts, (), "The apple and pear salad, they said, wasn't bad."


def _of_texts(corpus: list[str], options: dict[str, Any]) -> "Found":
    from charlm.text.census import take_census  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import Tokenizer  # noqa: PLC0415 - likewise

    options = {"level": "word", "encoding": "utf-8", "unit": None, **options}
    encoding = None if options["level"] == "byte" else options["encoding"]
    texts = find_texts(corpus, encoding)
    census = take_census(texts, **options)
    facts = {"tokens": census.tokens, "types": census.types, "unknown": census.unknown}
    tokenizer = Tokenizer(census.level, census.unit, census.vocabulary, options.get("lowercase", False))
    return tokenizer, facts, census.coverage, census.beginning


def _as_json(
    tokenizer: "Tokenizer", facts: dict[str, Any], coverage: "tuple[Coverage, ...]", pieces: list[str]
) -> dict[str, Any]:
    vocabulary = tokenizer.vocabulary
    return {
        "level": tokenizer.level,
        "unit": tokenizer.unit,
        **facts,
        "size": len(tokenizer),
        "coverage": [asdict(each) for each in coverage],
        "vocabulary": [
            {"token": vocabulary.token(i), "count": int(vocabulary.counts[i])} for i in range(len(vocabulary))
        ],
        "cut": pieces,
    }


def _lines(
    tokenizer: "Tokenizer",
    facts: dict[str, Any],
    coverage: "tuple[Coverage, ...]",
    pieces: list[str],
    number: int,
) -> "Iterator[str]":
    tokens, unknown = facts["tokens"], facts["unknown"]
    types = "" if facts["types"] is None else f", {facts['types']:,} of them distinct"
    yield f"{tokenizer.level} level, {tokenizer.unit} ends in <EOS>: {counted(tokens, 'token')}{types}"
    yield f"vocabulary of {len(tokenizer):,}, {_share(unknown, tokens)} of the tokens are <UNK>"
    if coverage:
        yield ""
        yield f"{'with':<22} {'vocabulary':>10} {'<UNK>':>8}"
        yield from (f"{each.option:<22} {each.size:>10,} {_share(each.unknown, tokens):>8}" for each in coverage)
    vocabulary, covered = tokenizer.vocabulary, 0
    if number:
        yield ""
        yield f"{'id':>7} {'count':>12} {'covers':>8}  token"
    for i in range(min(number, len(vocabulary))):
        count = int(vocabulary.counts[i])
        covered += count
        yield f"{i:7} {count:12,} {_share(covered, tokens):>8}  {visible(vocabulary.token(i))[1:-1]}"
    if len(vocabulary) > number > 0:
        yield f"    ... {counted(len(vocabulary) - number, 'more token')} (-n shows more, --json all)"
    if pieces:
        yield ""
        yield "cut: " + " ".join(_pieces(tokenizer, pieces))


def _share(part: int, whole: int) -> str:
    return f"{part / max(whole, 1):.2%}"


def _pieces(tokenizer: "Tokenizer", pieces: list[str]) -> "Iterator[str]":
    """Tokens to show; one that the vocabulary does not have stands in brackets."""
    vocabulary = tokenizer.vocabulary
    known = {vocabulary.token(i) for i in range(len(vocabulary))}
    for piece in pieces:
        shown = visible(piece) if not piece.strip() else visible(piece)[1:-1]
        yield shown if piece in known else f"[{shown}]"
