"""``charlm tag``: a label for each word, trained, applied, and judged."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.commands import group
from charlm.cli.console import note
from charlm.cli.find import JsonOption, ModelOption, load_labels
from charlm.cli.inputs import find_texts
from charlm.cli.run_options import sorted_out, take_options
from charlm.training.label_options import LABEL_OPTIONS, REFUSED, TAGGER

if TYPE_CHECKING:
    from charlm.labelling.judging import Judged
    from charlm.labelling.model import Labeler
    from charlm.text.sources import Texts

EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the files.", show_default="as trained")
]
tag = group("A label for each word of a sentence, such as the names in it: taggers trained, applied and judged.")


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Train a tagger on words with labels. Ctrl-C stops it with the work saved; --resume goes on.

    A file has a word and its label a line, a tab or spaces between them, and a blank line between sentences. Labels
    are BIO, BIOES, BILOU, IOB1 or plain, which shows by itself.
    """
    from charlm.cli.dispatch import train_here  # noqa: PLC0415 - likewise
    from charlm.cli.label_training import trainable  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.cli.live_tags import live_tags  # noqa: PLC0415 - likewise

    asked, options = sorted_out(given)
    train_here(trainable(TAGGER, "tag train", live_tags), corpus or [], model, asked, options)


take_options(
    train,
    LABEL_OPTIONS[TAGGER],
    "Column files, folders or patterns; .gz, .bz2 and .xz are unpacked; - is standard input.",
    "runs/<name of the corpus>",
    refused=REFUSED,
)
tag.command("train")(train)


@tag.command("apply")
def apply(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT|FILE]...",
            help="Sentences, or column files with a word a line; - or nothing is standard input.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    text: Annotated[
        bool, typer.Option("--text", help="Files and standard input are plain text, a sentence a line.")
    ] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="columns, json or color.", show_default="columns; color for a sentence in a terminal"
        ),
    ] = None,
    color: Annotated[
        bool | None,
        typer.Option("--color/--no-color", help="Colours, also where there is no terminal, or none."),
    ] = None,
    encoding: EncodingOption = None,
) -> None:
    """Tag sentences: those typed, those of files, or those that come through a pipe, each as soon as it is complete.

    A sentence that is typed is cut into words and punctuation. In a file each word has a line, and a blank line ends
    a sentence; the label becomes the last column, beside those that are there already.
    """
    from charlm.cli.tag_inputs import meant_by, tag_source  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.cli.tag_output import writer  # noqa: PLC0415 - likewise
    from charlm.labelling.tags import SentenceTagger, cut_sentence  # noqa: PLC0415 - likewise

    meant = meant_by(inputs or ["-"])
    trained = load_labels(model, TAGGER)
    tagger = SentenceTagger.of(trained)
    for each in meant:
        write = writer(trained.labels, form, color, typed=each.file is None)
        if each.file is None:
            sentence = cut_sentence(each.given)
            write([[word] for word in sentence.words], sentence, tagger.tag([sentence])[0])
            continue
        for source in find_texts([each.file], encoding or trained.text.encoding).sources:
            tag_source(source, encoding or trained.text.encoding, tagger, write, plain=text)


@tag.command("eval")
def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Column files with labels. Default: the validation part of the tagger's own corpus.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    encoding: EncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """How well a tagger tags: accuracy, and precision, recall and F1 of entities, or of plain labels.

    An entity is right if its words and its type are, exactly. Words that training did not have are counted apart.
    """
    from charlm.cli.console import result, result_json  # noqa: PLC0415 - beside what needs it
    from charlm.cli.tag_output import figure_lines  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.labelling.judging import figures_of, together  # noqa: PLC0415 - likewise

    trained = load_labels(model, TAGGER)
    parts = _judged(trained, corpus, encoding)
    each = {name: figures_of(trained, part) for name, part in parts.items()} if len(parts) > 1 else {}
    whole = figures_of(trained, together(list(parts.values())))
    if as_json:
        files = [{"file": name, **found.to_json()} for name, found in each.items()]
        result_json(whole.to_json() | ({"files": files} if files else {}))
        return
    for line in figure_lines(whole, each):
        result(line)


def _judged(trained: "Labeler", corpus: list[str] | None, encoding: str | None) -> "dict[str, Judged]":
    """What is made of each file, or of the validation part of the tagger's own corpus."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    from charlm.labelling.judging import judge_tags  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.tagging import labelled_sentences  # noqa: PLC0415 - likewise

    if not corpus:
        from charlm.training.label_setup import own_label_texts  # noqa: PLC0415 - likewise

        note(f"evaluating the validation part of {_own_name(trained)}")
        return {"": judge_tags(trained, own_label_texts(trained).valid)}
    texts: Texts = find_texts(corpus, encoding or trained.text.encoding)
    return {
        source.name: judge_tags(
            trained, labelled_sentences(trained, replace(texts, sources=(source,), name=source.name), encoding)
        )
        for source in texts.sources
    }


def _own_name(trained: "Labeler") -> str:
    corpus = trained.record["corpus"]
    return ", ".join(corpus["valid_paths"] or corpus["paths"]) or "its corpus"
