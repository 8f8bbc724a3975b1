"""``charlm vocab``: what a vocabulary holds, what it covers, and how a text is cut."""

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import counted, result, result_json, visible
from charlm.cli.find import JsonOption, ModelOption, locate
from charlm.cli.inputs import find_texts
from charlm.cli.records import tokens_of
from charlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charlm.text.census import Coverage
    from charlm.text.tokenizer import Tokenizer

SHOWN_TOKENS = 20


def vocabulary(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts as for train, or a model. Default: the newest model under runs/.", show_default=False
        ),
    ] = None,
    model: ModelOption = None,
    level: Annotated[
        str | None,
        typer.Option(
            "--level",
            help="What a token is: char, word, token or byte.",
            show_default="word; token where <unk> stands",
        ),
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
    labels: Annotated[
        bool, typer.Option("--labels", help="Each line is a label, a tab and a text, as for train --labels.")
    ] = False,
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

    With texts and --model: how much of the texts the model's vocabulary covers, and what it does not know in them.
    The mark ￭ stands before a token with no space before it, and brackets around one that the vocabulary lacks.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    require("-n", number, minimum=0)
    given = {
        "level": level, "unit": unit, "lowercase": lowercase or None, "min_count": min_count, "max_vocab": max_vocab,
        "labels": labels or None,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    if model is None and (not corpus or _is_model(corpus)):
        model, corpus = (Path(corpus[0]) if corpus else locate(None)), None
    if model is not None and options:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise UsageError(f"a model's vocabulary is what it is: leave out {names}, or name a text and no model")
    if model is None:
        found = _of_texts(corpus or [], options, encoding or "utf-8")
    else:
        found = _of_model(model, corpus, encoding)
    pieces = found.tokenizer.cut(text) if text is not None else found.beginning
    if as_json:
        result_json(_as_json(found, pieces))
        return
    for line in _lines(found, pieces, number):
        result(line)


@dataclass(frozen=True)
class Found:
    """What is shown: a tokenizer with its vocabulary, and what it makes of a text."""

    tokenizer: "Tokenizer"
    tokens: int
    unknown: int
    types: int | None = None
    coverage: "tuple[Coverage, ...]" = ()
    beginning: list[str] = field(default_factory=list)
    strangers: list[tuple[str, int]] = field(default_factory=list)
    labels: "tuple[tuple[str, int], ...]" = ()


def _is_model(corpus: list[str]) -> bool:
    """Whether a model is meant: a model file, or the folder of one."""
    path = Path(corpus[0])
    return len(corpus) == 1 and (path.suffix == ".safetensors" or os.path.exists(path / "model.safetensors"))  # noqa: PTH110 - Path.exists raises where it may not look


def _of_model(path: Path, corpus: list[str] | None, encoding: str | None) -> Found:
    """A model's vocabulary on its own training text, or on other texts."""
    from charlm.checkpoint import load_model  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.census import count_known  # noqa: PLC0415 - likewise
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    model = load_model(path)
    tokenizer, record = model.tokenizer, model.record["corpus"]
    if not corpus:
        counts = zip(model.label_names or (), model.labels.counts.tolist() if model.labels else (), strict=True)
        return Found(tokenizer, record["train_tokens"], record["train_unknown"], labels=tuple(counts))
    encoding = encoding or model.text.encoding
    texts = find_texts(corpus, read_as(tokenizer.level, encoding))
    counted_here, strangers = count_known(texts, tokenizer, encoding, model.label_names)
    unknown = sum(count for _, count in strangers)
    tokenizer = replace(tokenizer, vocabulary=replace(tokenizer.vocabulary, counts=counted_here))
    return Found(tokenizer, int(counted_here.sum()), unknown, strangers=strangers)


def _of_texts(corpus: list[str], options: dict[str, Any], encoding: str) -> Found:
    from charlm.text.census import take_census  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import Tokenizer, read_as  # noqa: PLC0415 - likewise
    from charlm.training.defaults import guess_level  # noqa: PLC0415 - likewise

    texts = find_texts(corpus, read_as(options.get("level", "word"), encoding))
    if "level" not in options:
        options["level"] = "token" if guess_level(texts) == "token" else "word"
    options = {"unit": None, **options}
    census = take_census(texts, encoding=encoding, **options)
    tokenizer = Tokenizer(census.level, census.unit, census.vocabulary, options.get("lowercase", False))
    beginning = tokenizer.cut(census.beginning)
    return Found(
        tokenizer, census.tokens, census.unknown, census.types, census.coverage, beginning, labels=census.labels
    )


def _as_json(found: Found, pieces: list[str]) -> dict[str, Any]:
    tokenizer, vocabulary = found.tokenizer, found.tokenizer.vocabulary
    return {
        "level": tokenizer.level,
        "unit": tokenizer.unit,
        "tokens": found.tokens,
        "types": found.types,
        "unknown": found.unknown,
        "size": len(tokenizer),
        "coverage": [asdict(each) for each in found.coverage],
        "vocabulary": tokens_of(vocabulary),
        "unknown_tokens": [{"token": token, "count": count} for token, count in found.strangers],
        **({"labels": [{"label": name, "count": count} for name, count in found.labels]} if found.labels else {}),
        "cut": pieces,
    }


def _lines(found: Found, pieces: list[str], number: int) -> "Iterator[str]":
    tokenizer, tokens = found.tokenizer, found.tokens
    types = "" if found.types is None else f", {found.types:,} of them distinct"
    yield f"{tokenizer.level} level, {tokenizer.unit} ends in <EOS>: {counted(tokens, 'token')}{types}"
    yield f"vocabulary of {len(tokenizer):,}, {_share(found.unknown, tokens)} of the tokens are <UNK>"
    if found.labels:
        shown = ", ".join(f"{_shown(name)} ({count:,})" for name, count in found.labels[: max(number, 1)])
        yield f"{counted(len(found.labels), 'label')}: {shown}{', ...' if len(found.labels) > max(number, 1) else ''}"
    if found.coverage:
        yield ""
        yield f"{'with':<22} {'vocabulary':>10} {'<UNK>':>8}"
        yield from (f"{each.option:<22} {each.size:>10,} {_share(each.unknown, tokens):>8}" for each in found.coverage)
    if number:
        yield ""
        yield from _table(found, number)
    if found.strangers:
        yield ""
        shown = ", ".join(f"{_shown(token)} ({count:,})" for token, count in found.strangers[:number])
        yield f"unknown: {shown}{', ...' if len(found.strangers) > number else ''}"
    if pieces:
        yield ""
        yield "cut: " + " ".join(_pieces(tokenizer, pieces))


def _table(found: Found, number: int) -> "Iterator[str]":
    """The most frequent tokens, and how much of the text they are together."""
    vocabulary, covered = found.tokenizer.vocabulary, 0
    yield f"{'id':>7} {'count':>12} {'covers':>8}  token"
    by_count = sorted(range(len(vocabulary)), key=lambda i: -int(vocabulary.counts[i]))
    for i in by_count[:number]:
        count = int(vocabulary.counts[i])
        covered += count
        yield f"{i:7} {count:12,} {_share(covered, found.tokens):>8}  {_shown(vocabulary.token(i))}"
    if len(vocabulary) > number:
        yield f"    ... {counted(len(vocabulary) - number, 'more token')} (-n shows more, --json all)"


def _share(part: int, whole: int) -> str:
    return f"{part / max(whole, 1):.2%}"


def _shown(token: str) -> str:
    """A token on a line of others: spaces, line breaks and the like are made visible."""
    return visible(token)[1:-1].replace(" ", "\u2423")


def _pieces(tokenizer: "Tokenizer", pieces: list[str]) -> "Iterator[str]":
    """Tokens to show; one that the vocabulary does not have stands in brackets."""
    vocabulary = tokenizer.vocabulary
    known = {vocabulary.token(i) for i in range(len(vocabulary))}
    for piece in pieces:
        yield _shown(piece) if piece in known else f"[{_shown(piece)}]"
