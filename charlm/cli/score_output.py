"""How scores are written: a table, JSON lines, or answers for other programs."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from charlm.cli.console import (
    SHOWN_CHARACTERS,
    counted,
    flush,
    note,
    result,
    result_json,
    result_pieces,
    shown_beginning,
    shown_text,
    visible,
)
from charlm.cli.inputs import name_of

if TYPE_CHECKING:
    from charlm.scorer import Scorer
    from charlm.scores import LongScore, Score, TokenScore
    from charlm.text.long import Text

TOGETHER = 1024
"""Tokens of a long text that are written together."""


def show_scores(
    trained: "Scorer",
    scores: "Iterator[Score | LongScore]",
    file: Path | None,
    *,
    as_json: bool,
    painted: "Callable[[Score], str] | None" = None,
) -> int:
    """Print scores as they come, and what is to be known of them.

    Args:
        trained: whose they are.
        scores: of texts.
        file: where the texts stand; None for standard input.
        as_json: an object a text.
        painted: gives a text in colour, to be shown in its place; not one that is too long for memory.

    Returns:
        How many there were.
    """
    number, unknown, share = 0, 0, 1
    for number, scored in enumerate(scores, start=1):
        figures = _figures(scored)
        share = figures.unk_vocabulary
        if number == 1 and not as_json and (painted or scored.per_token is None):
            result(f"{'nats':>12} {'tokens':>8} {'bits/token':>11} {'perplexity':>11}  text")
        unknown += figures.oov > 0
        if as_json:
            _write_json(scored)
        else:
            _show(scored, painted)
    if not number:
        note(f"{name_of(file)} is empty: there was nothing to score")
    if unknown:
        _note_unknown(trained, unknown, share)
    return number


def answer(
    texts: "Iterator[Text]",
    scored: "Callable[[Iterator[Text]], Iterator[Score | LongScore]]",
    encoding: str,
    *,
    as_json: bool,
) -> None:
    """Answer each text with a line of its own as soon as it has come.

    Args:
        texts: as ``read_texts`` gives them where what is not in their encoding is escaped, which is an answer too.
        scored: gives the scores of texts.
        encoding: of the texts; for the answer.
        as_json: an object a text.
    """
    from charlm.text.inputs import undecoded  # noqa: PLC0415 - NumPy is loaded only when it is used

    for line, text in enumerate(texts, start=1):
        byte = undecoded(text)
        if byte is None:
            for each in scored(iter([text])):
                _answer(each, as_json=as_json)
        else:
            _refuse(line, f"not valid {encoding}: byte 0x{byte:02x}", as_json=as_json)
        flush()


def _answer(scored: "Score | LongScore", *, as_json: bool) -> None:
    if as_json:
        _write_json(scored)
    else:
        figures = _figures(scored)
        result(f"{figures.logprob:.6f}\t{figures.tokens}\t{figures.oov}")


def _refuse(line: int, wrong: str, *, as_json: bool) -> None:
    if as_json:
        result_json({"line": line, "error": wrong})
    else:
        result(f"error\tline {line} is {wrong}")


def _figures(scored: "Score | LongScore") -> "Score":
    from charlm.scores import LongScore  # noqa: PLC0415 - NumPy is loaded only when it is used

    return scored.score if isinstance(scored, LongScore) else scored


def _write_json(scored: "Score | LongScore") -> None:
    from charlm.scores import Score  # noqa: PLC0415 - NumPy is loaded only when it is used

    if isinstance(scored, Score):
        result_json(scored.to_json())
    else:
        result_pieces(_json_pieces(scored))


def _json_pieces(scored: "LongScore") -> Iterator[str]:
    """The object that a score in memory would have, piece by piece."""
    from charlm.text.long import shown_blocks  # noqa: PLC0415 - NumPy is loaded only when it is used

    yield '{"text": "'
    for block in shown_blocks(scored.text):
        yield json.dumps(block)[1:-1]
    figures = scored.score.to_json()
    del figures["text"]
    yield '", ' + json.dumps(figures)[1:-1]
    if scored.per_token is not None:
        yield ', "per_token": '
        opening = "["
        # As many at a time as make a piece that is worth the writing.
        for some in _some(scored.per_token):
            yield opening + json.dumps(list(map(vars, some)))[1:-1]
            opening = ", "
        yield "]"
    yield "}"


def _some(tokens: "Iterator[TokenScore]") -> "Iterator[list[TokenScore]]":
    while some := list(islice(tokens, TOGETHER)):
        yield some


def _show(scored: "Score | LongScore", painted: "Callable[[Score], str] | None") -> None:
    from charlm.scores import LongScore  # noqa: PLC0415 - NumPy is loaded only when it is used

    figures = _figures(scored)
    shown = _shown_long(scored.text) if isinstance(scored, LongScore) else shown_text(scored.text)
    if painted is None and scored.per_token is not None:
        _show_tokens(figures, scored.per_token, shown)
        return
    if painted is not None and not isinstance(scored, LongScore):
        shown = painted(scored)
    row = f"{figures.logprob:12.4f} {figures.tokens:8} {figures.bits_per_token:11.4f} {figures.perplexity:11.4f}"
    result(f"{row}  {shown}" + ("  [unknown tokens]" if figures.oov else ""))


def _show_tokens(figures: "Score", tokens: "Iterable[TokenScore]", shown: str) -> None:
    result(f"{'nats':>12} {'rank':>8} {'entropy':>11}  token")
    for token in tokens:
        strange = "  [unknown]" if token.unknown else ""
        result(f"{token.logprob:12.4f} {token.rank:8} {token.entropy:11.4f}  {visible(token.token)}{strange}")
    result(
        f"{figures.logprob:12.4f}  nats in {figures.tokens} tokens, {figures.bits_per_token:.4f} bits a token: {shown}"
    )


def _shown_long(text: "Text") -> str:
    """A text that is too long for memory on one line of a table, as ``shown_text`` has others."""
    from charlm.text.long import shown_blocks  # noqa: PLC0415 - NumPy is loaded only when it is used

    beginning, characters, plain, last = "", 0, True, ""
    for block in shown_blocks(text):
        beginning += block[: SHOWN_CHARACTERS - len(beginning)]
        characters += len(block)
        plain = plain and block.isprintable()
        last = block[-1]
    plain = plain and not (beginning[0].isspace() or last.isspace())
    return shown_beginning(beginning, characters, plain=plain)


def _note_unknown(trained: "Scorer", texts: int, share: int) -> None:
    danger = "<UNK> stands for all of them at once, so do not rank such texts against others"
    if share > 1:
        danger = f"{share:,} share the probability of <UNK>"
    elif not trained.tokenizer.vocabulary.counts[1]:
        danger = "the training text had none, so what <UNK> costs is arbitrary"
    note(
        f"{counted(texts, 'text holds', 'texts hold')} tokens the model does not know: {danger} "
        "(--per-token names them, --json has scores without them)"
    )
