"""Taggers from Python: ``charlm.train_tagger``, ``charlm.load_tagger``, and the tagger that they give."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Unpack, overload

from charlm.errors import UsageError
from charlm.files import write_atomically
from charlm.labelling.dataset import Dataset
from charlm.labelling.encoding import encode_columns
from charlm.labelling.judging import TaggingResult, figures_of, judge_tags
from charlm.labelling.model import Labeler, labeler_bytes, load_labeler
from charlm.labelling.tags import Sentence, SentenceTagger, Tagged, cut_sentence
from charlm.labels.columns import read_columns
from charlm.text.sources import Texts
from charlm.training.from_python import Paths, texts_at, train_to_the_end
from charlm.training.label_options import TAGGER, LabelOptions
from charlm.training.label_setup import begin_labels, own_label_texts
from charlm.training.reports import Report

__all__ = ["Tagger", "labelled_sentences", "load_tagger", "train_tagger"]


class Tagger:
    """A trained tagger: ``charlm.load_tagger(path)`` or what ``charlm.train_tagger`` returns.

    Attributes:
        trained: network, vocabularies, labels and record, for those who want to look inside.
    """

    def __init__(self, trained: Labeler) -> None:
        self.trained = trained
        self._tagger = SentenceTagger.of(trained)

    def __repr__(self) -> str:
        config = self.trained.network.config
        ways = "both ways" if config.bidirectional else "one way"
        return f"<charlm.Tagger {config.cell} {ways} {config.layers} x {config.hidden}, {len(self.labels)} labels>"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels by id."""
        return self.trained.labels.names

    @overload
    def tag(self, text: str | Sequence[str]) -> Tagged: ...  # type: ignore[overload-overlap]  # a str is a sequence too, but this goes first

    @overload
    def tag(self, text: Sequence[Sequence[str]]) -> list[Tagged]: ...

    def tag(self, text: str | Sequence[str] | Sequence[Sequence[str]]) -> Tagged | list[Tagged]:
        """Tag a sentence, or several.

        Args:
            text: a sentence, which is cut as the word level does; or its words; or several sentences' words.

        Raises:
            InputError: there is no word, or one is empty.
        """
        if isinstance(text, str):
            return self._tagger.tag([cut_sentence(text)])[0]
        if text and all(isinstance(word, str) for word in text):
            return self._tagger.tag([_sentence(text)])[0]  # type: ignore[arg-type]  # words, as was just found
        return self._tagger.tag([_sentence(words) for words in text])

    def evaluate(self, corpus: Paths | None = None) -> TaggingResult:
        """How well labelled sentences are tagged.

        Args:
            corpus: path of a column file, or several; None for the validation part of the tagger's own corpus.

        Raises:
            InputError: one cannot be read, or has a label that training did not have.
        """
        if corpus is None:
            data = own_label_texts(self.trained).valid
        else:
            data = labelled_sentences(self.trained, texts_at(corpus, self.trained.text.encoding))
        return figures_of(self.trained, judge_tags(self.trained, data))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the tagger to one file, as ``charlm tag train`` does.

        Raises:
            OutputError: it cannot be written, or a weight is not finite.
        """
        write_atomically(Path(path), labeler_bytes(self.trained))


def _sentence(words: Sequence[str]) -> Sentence:
    if isinstance(words, str) or not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise UsageError("a sentence to tag is a text, or a list of its words; several are a list of such lists")
    if not words or not all(words):
        raise UsageError("a sentence to tag has one word at least, and no word is empty")
    return Sentence(tuple(words))


def labelled_sentences(model: Labeler, texts: Texts, encoding: str | None = None) -> Dataset:
    """The sentences of column files with their labels, as a tagger reads them.

    Args:
        model: a tagger.
        texts: the files.
        encoding: that they are in; None for that of the tagger's own.

    Raises:
        InputError: one cannot be read, is not right, or has a label that training did not have.
    """
    return encode_columns(
        read_columns(texts, encoding or model.text.encoding),
        model.vocabulary,
        model.characters,
        model.labels,
        level=model.text.level,
        lowercase=model.text.lowercase,
    )


def load_tagger(path: str | PathLike[str]) -> Tagger:
    """Load a tagger's file, or the one in a run's folder.

    Raises:
        ModelError: it is missing, damaged, or no tagger.
    """
    return Tagger(load_labeler(Path(path), TAGGER))


def train_tagger(
    corpus: Paths,
    *,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    report: Callable[[Report], None] | None = None,
    **options: Unpack[LabelOptions],
) -> Tagger:
    """Train a tagger, as ``charlm tag train`` does.

    Args:
        corpus: path of a column file: a word and its label a line, a blank line between sentences; also a folder, a
            glob pattern, or several of them.
        folder: where to keep the run: the model, its log and what continuing needs; None to keep nothing.
        overwrite: whether a run in that folder may be replaced.
        report: called with every step and validation.
        **options: the options of ``charlm tag train`` with underscores (``--from`` is ``base``); what is missing is
            chosen by the size of the corpus.

    Returns:
        The tagger with the best weights by validation loss.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a file cannot be read or is not right.
        ModelError: the model to start from cannot be read.
        OutputError: a file cannot be written, the folder holds a run and ``overwrite`` is False, or a run is at work
            in it.
        TrainingError: training cannot go on.
    """
    return train_to_the_end(
        lambda kept, clock: begin_labels(
            TAGGER,
            lambda encoding: texts_at(corpus, encoding),
            lambda _: kept,
            options,
            overwrite=overwrite,
            clock=clock,
        ),
        folder,
        report,
        load_tagger,
    )
