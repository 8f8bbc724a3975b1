"""``charlm classify``: a label for each text, by ``train``, ``apply`` and ``eval``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from charlm.cli.commands import group
from charlm.cli.find import JsonOption, ModelOption
from charlm.cli.run_options import sorted_out, take_options
from charlm.errors import UsageError
from charlm.training.label_options import CLASSIFIER, LABEL_OPTIONS, REFUSED

classify = group("Train a classifier of whole texts, let it label texts, and see how right it is.")

EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the files.", show_default="as trained")
]
EachLineOption = Annotated[
    bool | None,
    typer.Option(
        "--each-line/--each-file",
        help="In a folder, each line is a text, or each file.",
        show_default="as trained",
    ),
]
LabelFieldOption = Annotated[
    str | None, typer.Option("--label-field", help="The field with the label.", show_default="as trained")
]
TextFieldOption = Annotated[
    str | None, typer.Option("--text-field", help="The field with the text.", show_default="as trained")
]


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Train a classifier on texts with labels. Ctrl-C stops it with the work saved; --resume goes on.

    A file has a label, a tab and a text a line, or is of JSON lines; a folder has a folder a label.
    """
    from charlm.cli.classifying import CLASSIFIERS  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.cli.dispatch import train_here  # noqa: PLC0415 - likewise

    asked, options = sorted_out(given)
    train_here(CLASSIFIERS, corpus or [], model, asked, options)


take_options(
    train,
    LABEL_OPTIONS[CLASSIFIER],
    "Files of label and text, or a folder with a folder a label; - is standard input.",
    "runs/<name of the corpus>",
    refused=REFUSED,
)
classify.command("train")(train)


@classify.command("apply")
def apply(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts; - or nothing, without --file, is standard input, a text a line.", show_default=False
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            help="Label the texts of a file: its lines, or those of a table or JSON lines; of a folder each file.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the probabilities of all labels.")] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Show what each word or character did for the label: gradient times input.")
    ] = False,
    label: Annotated[
        str | None,
        typer.Option("--label", help="With --why: what spoke for this label.", show_default="the likeliest"),
    ] = None,
    each_line: EachLineOption = None,
    text_field: TextFieldOption = None,
    encoding: EncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """The likeliest label of each text, and its probability, with tabs between: label, probability, text.

    A text that begins with a dash follows "--": charlm classify apply -- "-5".
    """
    from charlm.cli.classifying import Shown, apply_here  # noqa: PLC0415 - NumPy is loaded only when it is used

    if label is not None and not why:
        raise UsageError("--label goes with --why: it says for which label the reasons are")
    if texts and file:
        raise UsageError("give texts or --file, not both")
    shown = Shown(everything=everything, why=why, label=label, as_json=as_json)
    apply_here(model, texts or [], file or [], shown, each_line=each_line, text_field=text_field, encoding=encoding)


@classify.command("eval")
def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts with labels, as for train. Default: the validation part of the classifier's own.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    errors: Annotated[
        int, typer.Option("--errors", help="Also show so many of the texts that it is most wrong about.")
    ] = 0,
    each_line: EachLineOption = None,
    label_field: LabelFieldOption = None,
    text_field: TextFieldOption = None,
    encoding: EncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """How right a classifier is: accuracy, F1, what it takes for what, what a text costs, and calibration."""
    from charlm.cli.classifying import evaluate_here  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    require("--errors", errors, minimum=0)
    evaluate_here(
        model,
        corpus or [],
        errors,
        as_json=as_json,
        each_line=each_line,
        label_field=label_field,
        text_field=text_field,
        encoding=encoding,
    )
