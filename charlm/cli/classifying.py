"""What ``charlm classify`` does once its options are read."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from charlm.classification import Classifier
from charlm.cli.class_figures import figure_lines
from charlm.cli.class_output import json_of, line_of, why_lines
from charlm.cli.console import counted, flush, note, printable, result, result_json
from charlm.cli.find import load_labels
from charlm.cli.inputs import find_texts, note_file
from charlm.cli.label_training import trainable
from charlm.cli.preparing import preparing
from charlm.cli.table import shortened
from charlm.labelling.classifying import Classified
from charlm.labelling.encoding import LONGEST_TEXT
from charlm.labelling.evaluation import Evaluation, evaluate_parts
from charlm.labelling.model import Labeler
from charlm.labelling.predicting import log_probabilities
from charlm.labels.examples import Examples, read_examples
from charlm.labels.forms import Fields
from charlm.labels.unlabelled import Found, read_texts
from charlm.training.label_options import CLASSIFIER
from charlm.training.label_setup import own_examples
from charlm.training.labels import LabelSubject
from charlm.training.run import Run

TOGETHER = 1024
"""Texts that are labelled at once; the memory that a large file takes is bounded."""
LONGEST_SHOWN = 60
"""Characters of a text that is shown while training."""


class Shown(NamedTuple):
    """What is shown of each text.

    Attributes:
        everything: the probabilities of all labels.
        why: what each token did.
        label: for which label; None for the likeliest.
        as_json: whether as JSON.
    """

    everything: bool
    why: bool
    label: str | None
    as_json: bool


def live_texts(run: Run[LabelSubject]) -> str:
    """A few texts that validate, indented, each with the label that it is given and, if that is wrong, the true one."""
    corpus, network = run.subject.corpus, run.subject.work.network
    lines = []
    for number, (text,) in corpus.shown.items():
        ((_, logs),) = log_probabilities(network, corpus.valid.only(number))
        found, truth = int(logs[:, 0].argmax()), int(corpus.valid.targets[number])
        true = "" if found == truth else f" (it is {corpus.labels.names[truth]})"
        shown = f"{corpus.labels.names[found]} {np.exp(logs[found, 0]):.2f}{true}"
        lines.append(f"    {printable(shown)}: {shortened(text, LONGEST_SHOWN, end=0)}")
    return "\n".join(lines)


CLASSIFIERS = trainable(CLASSIFIER, "classify train", live_texts)
"""What ``charlm classify train`` trains."""


def apply_here(
    model: Path | None,
    texts: list[str],
    files: list[str],
    shown: Shown,
    *,
    each_line: bool | None,
    text_field: str | None,
    encoding: str | None,
) -> None:
    """Label texts and write what is to be shown of each, in their order."""
    files = files or ([] if texts and texts != ["-"] else ["-"])
    found = find_texts(files, encoding or "utf-8") if files else None
    trained = load_labels(model, CLASSIFIER)
    was = trained.text
    if found is None:
        for text in texts:
            note_file(text, f"is labelled as a text; for the texts of the file of that name: --file {text}")
        groups = iter([[Found(text, "", 0) for text in texts]])
    else:
        groups = read_texts(
            found,
            encoding or was.encoding,
            fields=Fields(was.label_field, text_field or was.text_field),
            each_line=was.each_line if each_line is None else each_line,
            labels=trained.labels.names,
        )
    _write(Classifier(trained), groups, shown)


def _write(classifier: Classifier, groups: Iterator[list[Found]], shown: Shown) -> None:
    number = empty = strange = cut = 0
    for group in groups:
        for some in _pieces(group):
            for each, found in zip(some, classifier.classify([each.text for each in some]), strict=True):
                number += 1
                empty += not each.text.strip()
                strange += found.unknown == found.tokens - 1 > 0
                cut += found.cut
                _write_one(classifier, each, found, shown)
            # What comes through a pipe is answered at once.
            flush()
    if not number:
        note("there was no text to label")
    if empty:
        note(f"{counted(empty, 'text is', 'texts are')} empty: their labels are what the classifier says of nothing")
    if cut:
        note(f"of {counted(cut, 'text')} only the first and the last {LONGEST_TEXT // 2:,} tokens were read")
    if strange:
        note(
            f"of {counted(strange, 'text', 'texts')} the classifier knows no word at all: their labels mean little "
            "(--json has tokens and unknown tokens of each)"
        )


def _pieces(group: list[Found]) -> Iterator[list[Found]]:
    texts = iter(group)
    while some := list(islice(texts, TOGETHER)):
        yield some


def _write_one(classifier: Classifier, each: Found, found: Classified, shown: Shown) -> None:
    why = classifier.why(each.text, shown.label) if shown.why else None
    if shown.as_json:
        result_json(json_of(each, found, why))
        return
    result(line_of(each, found, everything=shown.everything))
    if why is not None:
        for line in why_lines(why, classifier.trained.text.level):
            result(line)


def evaluate_here(
    model: Path | None,
    corpus: list[str],
    errors: int,
    *,
    as_json: bool,
    each_line: bool | None,
    label_field: str | None,
    text_field: str | None,
    encoding: str | None,
) -> None:
    """Judge a classifier by texts that have labels, and write the figures."""
    trained = load_labels(model, CLASSIFIER)
    changes: dict[str, Any] = {
        "each_line": each_line,
        "label_field": label_field,
        "text_field": text_field,
        "encoding": encoding,
    }
    chosen = {name: value for name, value in changes.items() if value is not None}
    text = replace(trained.text, **chosen)
    fields = Fields(text.label_field, text.text_field)
    with preparing(quiet=False) as watched:
        parts = (
            [
                read_examples(
                    watched(find_texts([name], text.encoding)), text.encoding, fields=fields, each_line=text.each_line
                )
                for name in dict.fromkeys(corpus)
            ]
            if corpus
            else [_own(trained)]
        )
    found: Evaluation = evaluate_parts(trained, parts, errors)
    if as_json:
        result_json(found.to_json())
        return
    for line in figure_lines(found):
        result(line)


def _own(trained: Labeler) -> Examples:
    examples = own_examples(trained)
    note(f"evaluating the validation part of {examples.name}")
    return examples
