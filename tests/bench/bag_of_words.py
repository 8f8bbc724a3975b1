"""The peer that classifies texts: a logistic regression on how often words, and pairs of neighbours, occur.

    python tests/bench bag-of-words TRAIN HELD_OUT

What it is right about shows how much of a task the words alone decide.
"""

import argparse
import re
from collections.abc import Sequence

import numpy as np

from charlm.errors import CharlmError
from charlm.labels.examples import Examples, read_examples
from charlm.labels.label_set import LabelSet
from charlm.labels.measures import ClassFigures, class_figures
from charlm.text.sources import find_texts

BAGS = {"words": (1, 1), "words and pairs": (1, 2)}
"""The lengths, from and to, of what is counted."""


def classified(training: Examples, held_out: Examples, lengths: tuple[int, int]) -> ClassFigures:
    """Train on one set of texts and classify another.

    Args:
        training: With labels.
        held_out: Likewise.
        lengths: Of the shortest and the longest row of words that is counted.

    Raises:
        InputError: The training data have a single label, or the others one that these lack.
    """
    from sklearn.feature_extraction.text import CountVectorizer  # noqa: PLC0415 - the extra may not be installed
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - likewise
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - likewise

    assert training.labels is not None
    assert held_out.labels is not None
    labels = LabelSet.learn(training.labels, training.name)
    truth = labels.ids_of(held_out.labels, held_out.where)
    # Its own idea of a word leaves out those of one letter, "I" and "a".
    counts = CountVectorizer(ngram_range=lengths, tokenizer=re.compile(r"\w+").findall, token_pattern=None)
    model = make_pipeline(counts, LogisticRegression(max_iter=1000))
    model.fit(training.texts, labels.ids_of(training.labels, training.where))
    return class_figures(truth, np.asarray(model.predict(held_out.texts)), len(labels))


def main(words: Sequence[str]) -> None:
    """Print the figures of each bag."""
    parser = argparse.ArgumentParser(prog="python tests/bench bag-of-words", description=__doc__.splitlines()[0])
    parser.add_argument("train", help="labelled texts, as charlm classify reads them")
    parser.add_argument("held_out", help="others to classify")
    options = parser.parse_args(words)
    try:
        training, held_out = (read_examples(find_texts([given])) for given in (options.train, options.held_out))
        print(f"{'scikit-learn, logistic regression on':<40} accuracy  macro F1")
        for name, lengths in BAGS.items():
            figures = classified(training, held_out, lengths)
            print(f"{name:<40} {figures.accuracy:8.1%}  {figures.macro_f1:8.3f}")
    except CharlmError as error:
        parser.exit(error.exit_status, f"{parser.prog}: {error}\n")
    except ImportError:
        parser.exit(1, f"{parser.prog}: scikit-learn is not installed: pip install -e '.[bench]'\n")
