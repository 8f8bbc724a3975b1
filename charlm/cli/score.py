"""``charlm score``: the probability of texts."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.adaptation import ADAPTING, adapted, check_apart, taken
from charlm.cli.choices import with_options
from charlm.cli.console import counted
from charlm.cli.find import JsonOption, LabelOption, ModelOption, UnkVocabularyOption, load, locate
from charlm.cli.following import following
from charlm.cli.inputs import name_of, note_file
from charlm.cli.painting import ColorOption, Painter, check_page_file, painter, write_page
from charlm.cli.posterior import PriorOption, check_prior, show_posteriors
from charlm.cli.score_output import answer, show_scores
from charlm.cli.scoring import FILE_GROUP, GROUP, Wanted, scored_by, texts_of
from charlm.config import require
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.scores import Score
    from charlm.surprise import SurprisePage
    from charlm.text.long import Text


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


def _score(
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
    **given: Any,
) -> None:
    """Log-probability of texts, by the chain rule, each from a start and with its <EOS>.

    A text that begins with a dash follows "--": charlm score -- "-5". With --serve, an answer is an object (--json), or
    the log-probability in nats, the number of tokens, and how many are unknown, with tabs between them; of a line that
    is not in the encoding an object of "line" and "error", or "error" and what is wrong.
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
    asked = taken(given)
    check_apart(asked, {"--posterior": posterior, "--heatmap": heatmap})
    if heatmap is not None:
        check_page_file(heatmap, "--heatmap")
    path = locate(model)
    trained = load(path)
    check_prior(prior, asked=posterior, flag="--posterior", has_labels=trained.labels is not None)
    trained = trained if posterior else trained.under(label)
    scorer = adapted(trained, path, asked)
    for text in texts or ():
        note_file(text, f"is scored as a text; for the lines of the file of that name: --file {text}")
    page, paint = _page(trained, unk_vocabulary) if heatmap else None, _painter() if color else None
    together = 1 if serve else FILE_GROUP if file else GROUP
    wanted = Wanted(together, per_token or paint is not None, of_long=per_token, unk_vocabulary=unk_vocabulary)
    with following(shown=not serve) as watched:
        inputs = iter(texts) if texts else texts_of(trained, file, encoding, whole, watched, escaped=serve)
        if posterior:
            show_posteriors(trained, inputs, together, prior, as_json=as_json)
            return
        if serve:
            scored = partial(scored_by, scorer, wanted=wanted, following=watched)
            answer(inputs, scored, encoding or trained.text.encoding, as_json=as_json)
            return
        scores = scored_by(scorer, _gathered(inputs, page), wanted, watched)
        painted = None if paint is None else partial(_painted, trained, paint)
        number = show_scores(trained, scores, file, as_json=as_json, painted=painted)
    if heatmap and page and number:
        write_page(heatmap, page.page(name_of(file) if file else counted(number, "text")), "--heatmap")


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


def _painter() -> Painter | None:
    from charlm.colours import SURPRISE  # noqa: PLC0415 - --help needs no colours

    found = painter(SURPRISE)
    if found is not None:
        found.show_legend()
    return found


def _page(trained: "TrainedModel", unk_vocabulary: int) -> "SurprisePage":
    from charlm.surprise import SurprisePage  # noqa: PLC0415 - NumPy is loaded only when it is used

    return SurprisePage(trained, unk_vocabulary=unk_vocabulary)


def _gathered(texts: Iterator["Text"], page: "SurprisePage | None") -> Iterator["Text"]:
    """The texts, each shown on a page, if there is one, as it passes."""
    for text in texts:
        if page is not None:
            page.add(text)
        yield text


def _painted(trained: "TrainedModel", paint: Painter, scored: "Score") -> str:
    """A text in colour, on lines of its own where it has several."""
    from charlm.surprise import tokens_of_score  # noqa: PLC0415 - NumPy is loaded only when it is used

    text = paint.paint(tokens_of_score(trained, scored))
    return f"\n{text}" if "\n" in scored.text.removesuffix("\n") else text


score = with_options(_score, ADAPTING)
"""The command."""
