"""Counting models from Python: ``charlm.train_ngrams``, ``charlm.load_ngrams`` and ``charlm.read_arpa``."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, overload

from charlm.evaluation import EvaluationResult
from charlm.exchange.ngrams import import_arpa
from charlm.files import write_atomically
from charlm.measuring import evaluate_texts, score_texts
from charlm.ngram.arpa import write_arpa
from charlm.ngram.model import NGramModel, load_ngram
from charlm.ngram.spelling import words_of
from charlm.ngram.storing import write_ngram
from charlm.scores import Score
from charlm.training.from_python import Paths, texts_given
from charlm.training.ngrams import count_texts


class NGrams:
    """A counting model: interpolated modified Kneser-Ney, in the tokens and units of a network.

    Attributes:
        trained: n-grams, tokenizer and record, for those who want to look inside.
    """

    def __init__(self, trained: NGramModel) -> None:
        self.trained = trained

    def __repr__(self) -> str:
        trie, text = self.trained.trie, self.trained.text
        return f"<charlm.NGrams order {trie.order}, {trie.words - 1} tokens at {text.level} level>"

    @property
    def order(self) -> int:
        """Tokens of the longest n-grams."""
        return self.trained.trie.order

    @overload
    def score(  # type: ignore[overload-overlap]  # as for Model.score
        self, text: str | bytes, *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> Score: ...

    @overload
    def score(
        self, text: Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> list[Score]: ...

    def score(
        self, text: str | bytes | Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> Score | list[Score]:
        """Log-probability of a text, or of each of several, as ``charlm ngram score`` gives it.

        Args:
            text: what to score.
            per_token: also give each token's.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.

        Raises:
            UsageError: a text has several lines, and the model's lines are independent; or ``unk_vocabulary`` is not
                positive.
        """
        one = isinstance(text, str | bytes)
        texts = [text] if isinstance(text, str | bytes) else text
        found = score_texts(self.trained, texts, per_token=per_token, unk_vocabulary=unk_vocabulary)
        return found[0] if one else found

    def evaluate(
        self, corpus: Paths | None = None, *, text: str | None = None, unk_vocabulary: int = 1
    ) -> EvaluationResult:
        """What a text costs: the same text, tokens and units as those of ``Model.evaluate``.

        Args:
            corpus: path of a text, or several; None and no ``text`` for the validation part of the model's own corpus.
            text: the text itself.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.

        Raises:
            UsageError: both are given, or ``unk_vocabulary`` is not positive.
            InputError: it cannot be read, or is empty.
        """
        return evaluate_texts(self.trained, corpus, text, unk_vocabulary=unk_vocabulary)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one file, as ``charlm ngram train`` does.

        Raises:
            OutputError: it cannot be written.
        """
        write_ngram(self.trained, Path(path))

    def write_arpa(self, path: str | PathLike[str]) -> None:
        """Write the model as an ARPA file, as ``charlm ngram export`` does.

        Raises:
            OutputError: it cannot be written.
        """
        model = self.trained
        lines = write_arpa(model.trie, model.smoothed, words_of(model.tokenizer.vocabulary))
        write_atomically(Path(path), b"".join(line.encode("utf-8", "surrogatepass") for line in lines))


def train_ngrams(corpus: Paths | None = None, *, text: str | None = None, **options: Any) -> NGrams:
    """Count the n-grams of a text and smooth them, as ``charlm ngram train`` does.

    Args:
        corpus: path of a text; also a folder, a glob pattern, or several of them.
        text: the text itself, instead.
        **options: those of ``charlm ngram train``, with underscores: ``order``, and how the text is read and split.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
    """
    model, _ = count_texts(lambda encoding: texts_given(corpus, text, encoding), options)
    return NGrams(model)


def load_ngrams(path: str | PathLike[str]) -> NGrams:
    """Load a counting model's file, or the one in a folder.

    Raises:
        ModelError: it is missing or damaged.
    """
    return NGrams(load_ngram(Path(path)))


def read_arpa(path: str | PathLike[str], *, level: str = "token") -> NGrams:
    """The model of an ARPA file, whose lines are texts of their own, as ``charlm ngram import`` reads it.

    Args:
        path: of the file.
        level: what its words are: token, word or char.

    Raises:
        UsageError: there is no such level.
        InputError: it cannot be read or is no ARPA file, or its words do not go with the level.
    """
    return NGrams(import_arpa(Path(path), level))
