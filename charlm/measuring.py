"""Scores and costs as Python asks for them: of a model of either kind, of one text or of several."""

from collections.abc import Sequence

from charlm.config import require
from charlm.evaluation import EvaluationResult, evaluate_part
from charlm.scorer import Scorer
from charlm.scores import Score, score_all
from charlm.text.corpus import encode_texts
from charlm.text.parts import Part
from charlm.text.tokenizer import read_as
from charlm.training.from_python import Paths, texts_given
from charlm.training.setup import Recorded, own_part, own_texts


def score_texts(
    model: Scorer, texts: Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
) -> list[Score]:
    """As ``charlm.scores.score_all``.

    Raises:
        UsageError: likewise, and where ``unk_vocabulary`` is not positive.
    """
    require("unk_vocabulary", unk_vocabulary, minimum=1)
    return score_all(model, texts, per_token=per_token, unk_vocabulary=unk_vocabulary)


def evaluate_texts(
    model: Recorded,
    corpus: Paths | None,
    text: str | None,
    *,
    exact: bool = False,
    unk_vocabulary: int = 1,
    scorer: Scorer | None = None,
) -> EvaluationResult:
    """What a text costs under a model, as validation in training counts it.

    Args:
        model: a network's or a counting one.
        corpus: path of a text, or several; None and no ``text`` for the validation part of the model's own corpus.
        text: the text itself.
        exact: in one lane.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.
        scorer: whose probabilities; None for the model's.

    Raises:
        UsageError: both are given, or ``unk_vocabulary`` is not positive.
        InputError: it cannot be read, or is empty.
    """
    require("unk_vocabulary", unk_vocabulary, minimum=1)
    own = corpus is None and text is None
    part = own_part(model, *own_texts(model)) if own else part_given(model, corpus, text)
    return evaluate_part(scorer or model, part, exact=exact, unk_vocabulary=unk_vocabulary)


def part_given(model: Recorded, corpus: Paths | None, text: str | None) -> Part:
    """A text as a model reads it; otherwise as ``evaluate_texts``."""
    config = model.text
    return encode_texts(
        texts_given(corpus, text, read_as(config.level, config.encoding)),
        tokenizer=model.tokenizer,
        encoding=config.encoding if text is None else "utf-8",
        independent_lines=config.independent_lines,
        labels=model.label_names,
    )
