"""Classifiers in Python: a label for a whole text.

classifier = charlm.train_classifier("reviews.tsv")
classifier.classify("not bad at all").label
classifier.why("not bad at all").contributions
classifier.evaluate("others.tsv").accuracy
"""

import json
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Unpack, overload

from charlm.errors import UsageError
from charlm.files import write_atomically
from charlm.labelling import classifying, reasons
from charlm.labelling.classifying import Classified
from charlm.labelling.evaluation import Evaluation, evaluate_parts
from charlm.labelling.model import Labeler, labeler_bytes, load_labeler
from charlm.labelling.reasons import Why
from charlm.labels.examples import Examples, read_examples
from charlm.labels.forms import USUAL_FIELDS, Fields
from charlm.text.reading import Source
from charlm.text.sources import Texts
from charlm.training.from_python import Paths, texts_at, train_to_the_end
from charlm.training.label_options import CLASSIFIER, LabelOptions
from charlm.training.label_setup import begin_labels, own_examples
from charlm.training.reports import Report

Pairs = Iterable[tuple[str, str]]
"""Labels with their texts."""


class Classifier:
    """A trained classifier: ``charlm.load_classifier(path)`` or what ``charlm.train_classifier`` returns.

    Attributes:
        trained: network, vocabulary, labels and record, for those who want to look inside.
    """

    def __init__(self, trained: Labeler) -> None:
        self.trained = trained

    def __repr__(self) -> str:
        config = self.trained.network.config
        return (
            f"<charlm.Classifier {config.cell} {config.layers} x {config.hidden}, {self.trained.text.level} level: "
            f"{self.trained.labels}>"
        )

    @property
    def labels(self) -> list[str]:
        """Those that it tells apart, by falling number of training texts."""
        return list(self.trained.labels.names)

    @overload
    def classify(  # type: ignore[overload-overlap]  # a str is a sequence of str, but the first signature goes first
        self, text: str
    ) -> Classified: ...

    @overload
    def classify(self, text: Sequence[str]) -> list[Classified]: ...

    def classify(self, text: str | Sequence[str]) -> Classified | list[Classified]:
        """The label of a text, or of each of several, in their order; many at once are quicker than one by one."""
        if isinstance(text, str):
            return classifying.classify(self.trained, [text])[0]
        return classifying.classify(self.trained, text)

    def why(self, text: str, label: str | None = None) -> Why:
        """What each word, character or byte of a text did for a label: gradient times input.

        Args:
            text: the text.
            label: the label; None for the likeliest one.

        Raises:
            UsageError: there is no such label.
        """
        labels = self.trained.labels
        if label is not None and label not in labels.names:
            raise UsageError(f"there is no label {label!r}: the classifier knows {labels}")
        return reasons.why(self.trained, text, None if label is None else labels.names.index(label))

    def evaluate(self, corpus: Paths | None = None, *, examples: Pairs | None = None, mistakes: int = 0) -> Evaluation:
        """How right it is about texts that have labels.

        Args:
            corpus: path of such texts, or several, in the forms that training reads; None and no ``examples`` for the
                validation part of its own.
            examples: labels and texts instead.
            mistakes: how many of the texts that it is most wrong about to give.

        Raises:
            UsageError: both are given.
            InputError: they cannot be read, or have a label that did not occur in training.
        """
        if corpus is None and examples is None:
            return evaluate_parts(self.trained, [own_examples(self.trained)], mistakes)
        return evaluate_parts(self.trained, self._read(corpus, examples), mistakes)

    def _read(self, corpus: Paths | None, examples: Pairs | None) -> list[Examples]:
        text = self.trained.text
        if corpus is None or isinstance(corpus, str | PathLike):
            named = [_given(corpus, examples, text.encoding, USUAL_FIELDS)]
        else:
            named = [_given(path, examples, text.encoding, USUAL_FIELDS) for path in corpus]
        fields = Fields(text.label_field, text.text_field) if examples is None else USUAL_FIELDS
        return [read_examples(each, text.encoding, fields=fields, each_line=text.each_line) for each in named]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the classifier to one file, as ``charlm classify train`` does.

        Raises:
            OutputError: it cannot be written, or a weight is not finite.
        """
        write_atomically(Path(path), labeler_bytes(self.trained))


def load_classifier(path: str | PathLike[str]) -> Classifier:
    """Load the file of a classifier, or the one in a run's folder.

    Raises:
        ModelError: it is missing, damaged, or of another kind.
    """
    return Classifier(load_labeler(Path(path), CLASSIFIER))


def train_classifier(
    corpus: Paths | None = None,
    *,
    examples: Pairs | None = None,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    report: Callable[[Report], None] | None = None,
    **options: Unpack[LabelOptions],
) -> Classifier:
    """Train a classifier, as ``charlm classify train`` does.

    Args:
        corpus: path of labelled texts: a table with a label, a tab and a text a line, JSON lines, or a folder with a
            folder a label; or several of them.
        examples: labels and texts instead: pairs such as ("good", "not bad at all").
        folder: where to keep the run: the model, its log and what continuing needs; None to keep nothing.
        overwrite: whether a run in that folder may be replaced.
        report: called with every step and validation.
        **options: the options of ``charlm classify train`` with underscores (``--from`` is ``base``); what is missing
            is chosen by the size of the corpus.

    Returns:
        The classifier with the best weights by validation loss.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a file cannot be read or is not right, or there is but one label.
        OutputError: a file cannot be written, the folder holds a run and ``overwrite`` is False, or a run is at work
            in it.
        TrainingError: training cannot go on.
    """
    fields = Fields(options.get("label_field", USUAL_FIELDS.label), options.get("text_field", USUAL_FIELDS.text))
    return train_to_the_end(
        lambda kept, clock: begin_labels(
            CLASSIFIER,
            lambda encoding: _given(corpus, examples, encoding, fields),
            lambda _: kept,
            options,
            overwrite=overwrite,
            clock=clock,
        ),
        folder,
        report,
        load_classifier,
    )


def _given(corpus: Paths | None, examples: Pairs | None, encoding: str | None, fields: Fields) -> Texts:
    """The texts that are meant.

    Raises:
        UsageError: not exactly one of the two is given, or an example is no pair of texts.
        InputError: there is no such file.
    """
    if (corpus is None) == (examples is None):
        raise UsageError("give either the path of labelled texts or examples=, pairs of label and text")
    if corpus is not None:
        return texts_at(corpus, encoding, "give labels and texts themselves as examples=")
    rows = []
    for number, pair in enumerate(examples or (), start=1):
        if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(each, str) for each in pair):  # noqa: PLR2004 - a pair
            raise UsageError(f"examples=: number {number} is {pair!r:.60}: it must be a pair of a label and a text")
        rows.append(json.dumps(dict(zip((fields.label, fields.text), pair, strict=True))))
    # As JSON lines, which hold any text: what reads files checks these as well.
    data = "".join(f"{row}\n" for row in rows).encode(encoding or "utf-8")
    return Texts("the examples", (Source("the examples", lambda: BytesIO(data)),))
