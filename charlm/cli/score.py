"""``charlm score``: the probability of texts."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import counted, flush, note, result, result_json, shown_text, visible
from charlm.cli.find import JsonOption, LabelOption, ModelOption, UnkVocabularyOption, load
from charlm.cli.inputs import note_file
from charlm.cli.painting import ColorOption, Painter, check_page_file, painter, write_page
from charlm.cli.posterior import PriorOption, check_prior, show_posteriors
from charlm.config import require
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.scores import Score, Scorer
    from charlm.surprise import SurprisePage

GROUP = 256
"""Texts that are scored together where they come through a pipe, and are waited for."""
FILE_GROUP = 4096
"""Lines of a file that are scored together: many enough that all lanes are busy nearly all the time."""


TextsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Texts; without any, and without --file, standard input is read, a text a line.", show_default=False
    ),
]
FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="Score the lines of a file.", show_default=False, readable=False)
]
WholeOption = Annotated[bool, typer.Option("--whole", help="Score a file or standard input as one text.")]
PerTokenOption = Annotated[
    bool, typer.Option("--per-token", help="Also log-probability, rank and entropy of each token.")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the file or standard input.", show_default="as trained")
]


def score(
    texts: TextsArgument = None,
    model: ModelOption = None,
    file: FileOption = None,
    whole: WholeOption = False,
    per_token: PerTokenOption = False,
    encoding: EncodingOption = None,
    label: LabelOption = None,
    posterior: Annotated[
        bool, typer.Option("--posterior", help="The probability of every label instead, by Bayes' rule.")
    ] = False,
    prior: PriorOption = None,
    heatmap: Annotated[
        Path | None,
        typer.Option(
            "--heatmap",
            help="Also write a page, .html: the texts coloured by the surprise of each token.",
            show_default=False,
        ),
    ] = None,
    color: ColorOption = False,
    unk_vocabulary: UnkVocabularyOption = 1,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Answer each line of standard input at once, with one line; for other programs."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Log-probability of texts, by the chain rule, each from a start and with its <EOS>.

    A text that begins with a dash follows "--": charlm score -- "-5". With --serve, an answer is an object (--json), or
    the log-probability in nats, the number of tokens, and how many are unknown, with tabs between them.
    """
    check_texts(texts, file, whole=whole)
    _check_serving(texts, file, serve=serve, others=whole or posterior or color or heatmap is not None)
    require("--unk-vocabulary", unk_vocabulary, minimum=1)
    if posterior and (label is not None or per_token or heatmap is not None or unk_vocabulary > 1):
        raise UsageError(
            "--posterior asks for all labels of whole texts: leave out --label, --per-token, --heatmap and "
            "--unk-vocabulary"
        )
    if color and (as_json or per_token or posterior):
        raise UsageError("--color is for texts in the table: it does not go with --json, --per-token or --posterior")
    if heatmap is not None:
        check_page_file(heatmap, "--heatmap")
    trained = load(model)
    check_prior(prior, asked=posterior, flag="--posterior", has_labels=trained.labels is not None)
    trained = trained if posterior else trained.under(label)
    for text in texts or ():
        note_file(text, f"is scored as a text; for the lines of the file of that name: --file {text}")
    inputs: Iterator[str | bytes] = iter(texts) if texts else texts_of(trained, file, encoding, whole)
    if posterior:
        show_posteriors(trained, inputs, FILE_GROUP if file else GROUP, prior, as_json=as_json)
        return
    if serve:
        _serve(trained, inputs, unk_vocabulary, per_token=per_token, as_json=as_json)
        return
    page, paint = _page(trained, unk_vocabulary) if heatmap else None, _painter() if color else None
    details, together = per_token or paint is not None, FILE_GROUP if file else GROUP
    scores = scored_by(trained, _gathered(inputs, page), together, details, unk_vocabulary)
    painted = None if paint is None else partial(_painted, trained, paint)
    number = show_scores(trained, scores, file, as_json=as_json, painted=painted)
    if heatmap and page and number:
        write_page(heatmap, page.page(str(file) if file else counted(number, "text")), "--heatmap")


def _check_serving(texts: list[str] | None, file: Path | None, *, serve: bool, others: bool) -> None:
    """Check that what serves does nothing else.

    Raises:
        UsageError: it would.
    """
    if serve and (texts or file or others):
        raise UsageError("--serve answers the lines of standard input: it goes with --json and --per-token only")


def check_texts(texts: list[str] | None, file: Path | None, *, whole: bool) -> None:
    """Check that there is one kind of thing to score.

    Raises:
        UsageError: there is not.
    """
    if texts and file:
        raise UsageError("give texts or --file, not both")
    if texts and whole:
        raise UsageError("--whole goes with --file or standard input: a text on the command line is whole already")
    if not texts and not file and sys.stdin.isatty():
        raise UsageError('nothing to score: give a text (charlm score "some text"), --file FILE, or a pipe')


def show_scores(
    trained: "Scorer",
    scores: "Iterator[Score]",
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
        painted: gives a text in colour, to be shown in its place.

    Returns:
        How many there were.
    """
    number, unknown, share = 0, 0, 1
    for number, scored in enumerate(scores, start=1):
        share = scored.unk_vocabulary
        if number == 1 and not as_json and (scored.per_token is None or painted):
            result(f"{'nats':>12} {'tokens':>8} {'bits/token':>11} {'perplexity':>11}  text")
        unknown += scored.oov > 0
        if as_json:
            result_json(scored.to_json())
        else:
            _show(scored, painted(scored) if painted else None)
    if not number:
        note(f"{file or 'standard input'} is empty: there was nothing to score")
    if unknown:
        _note_unknown(trained, unknown, share)
    return number


def _painter() -> Painter | None:
    from charlm.colours import SURPRISE  # noqa: PLC0415 - --help needs no colours

    found = painter(SURPRISE)
    if found is not None:
        found.show_legend()
    return found


def _page(trained: "TrainedModel", unk_vocabulary: int) -> "SurprisePage":
    from charlm.surprise import SurprisePage  # noqa: PLC0415 - NumPy is loaded only when it is used

    return SurprisePage(trained, unk_vocabulary=unk_vocabulary)


def _gathered(texts: Iterator[str | bytes], page: "SurprisePage | None") -> Iterator[str | bytes]:
    """The texts, each shown on a page, if there is one, as it passes."""
    for text in texts:
        if page is not None:
            page.add(text)
        yield text


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


def scored_by(
    trained: "Scorer", inputs: Iterator[str | bytes], together: int, per_token: bool, unk_vocabulary: int = 1
) -> "Iterator[Score]":
    """Scores of texts in their order, so many computed together."""
    from itertools import islice  # noqa: PLC0415 - only here

    from charlm.scores import score_all  # noqa: PLC0415 - NumPy is loaded only when it is used

    while group := list(islice(inputs, together)):
        yield from score_all(trained, group, per_token=per_token, unk_vocabulary=unk_vocabulary)


def _serve(
    trained: "Scorer", inputs: Iterator[str | bytes], unk_vocabulary: int, *, per_token: bool, as_json: bool
) -> None:
    """Answer each text with a line of its own as soon as it has come."""
    for scored in scored_by(trained, inputs, 1, per_token, unk_vocabulary):
        if as_json:
            result_json(scored.to_json())
        else:
            result(f"{scored.logprob:.6f}\t{scored.tokens}\t{scored.oov}")
        flush()


def texts_of(trained: "Scorer", file: Path | None, encoding: str | None, whole: bool) -> Iterator[str | bytes]:
    """The texts of a file or of standard input: its lines, or all of it."""
    from charlm.text.inputs import read_lines, read_whole  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.reading import Source, file_source  # noqa: PLC0415 - likewise
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    source = Source("standard input", lambda: sys.stdin.buffer) if file is None else file_source(file)
    decoded = read_as(trained.tokenizer.level, encoding or trained.text.encoding)
    if whole:
        yield read_whole(source, decoded)
    else:
        yield from read_lines(source, decoded)


def _painted(trained: "TrainedModel", paint: Painter, scored: "Score") -> str:
    """A text in colour, on lines of its own where it has several."""
    from charlm.surprise import tokens_of_score  # noqa: PLC0415 - NumPy is loaded only when it is used

    text = paint.paint(tokens_of_score(trained, scored))
    return f"\n{text}" if "\n" in scored.text.removesuffix("\n") else text


def _show(scored: "Score", painted: str | None) -> None:
    shown = shown_text(scored.text)
    if painted is not None or not scored.per_token:
        figures = f"{scored.logprob:12.4f} {scored.tokens:8} {scored.bits_per_token:11.4f} {scored.perplexity:11.4f}"
        result(f"{figures}  {shown if painted is None else painted}" + ("  [unknown tokens]" if scored.oov else ""))
        return
    result(f"{'nats':>12} {'rank':>8} {'entropy':>11}  token")
    for token in scored.per_token:
        strange = "  [unknown]" if token.unknown else ""
        result(f"{token.logprob:12.4f} {token.rank:8} {token.entropy:11.4f}  {visible(token.token)}{strange}")
    result(f"{scored.logprob:12.4f}  nats in {scored.tokens} tokens, {scored.bits_per_token:.4f} bits a token: {shown}")
