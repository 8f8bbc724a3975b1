"""Which runs compare, and by what: losses of different texts do not, nor losses a token of different tokens."""

import json
from collections.abc import Sequence

from charlm.histories.history import RunHistory, mapping
from charlm.labelling.config import LabellingConfig

UNKNOWN = "?"
"""The group of runs that do not say what they were validated with."""


def groups(runs: Sequence[RunHistory]) -> list[str]:
    """The group of each run.

    Returns:
        A number, the same for runs that were validated with the same text. Where these differ in their tokens, so that
        no loss a token compares, the number and a second one, as in "2.1" and "2.2". ``UNKNOWN`` where nothing says.
    """
    pairs = [(_text(run), _tokens(run)) for run in runs]
    texts = list(dict.fromkeys(text for text, _ in pairs if text))
    labels = []
    for text, tokens in pairs:
        alike = list(dict.fromkeys(others for same, others in pairs if same == text))
        part = f".{alike.index(tokens) + 1}" if len(alike) > 1 else ""
        labels.append(f"{texts.index(text) + 1}{part}" if text else UNKNOWN)
    return labels


def _text(run: RunHistory) -> str:
    """What runs have in common that were validated with the same text; empty where that is not known."""
    corpus, text = run.corpus, run.text
    if text is None or not corpus.get("digest"):
        return ""
    seed = mapping(run.record.get("train")).get("seed")
    if isinstance(text, LabellingConfig):
        # The texts that validate are drawn.
        part = [corpus["valid_digest"]] if corpus.get("valid_digest") else [corpus["digest"], seed]
        return json.dumps([*part, text.kind, corpus.get("valid_characters")])
    if corpus.get("valid_digest"):
        part = [corpus["valid_digest"]]
    else:
        # Independent lines are drawn for validation; of other text the end is taken.
        part = [corpus["digest"], seed if text.independent_lines else None]
    return json.dumps([*part, text.independent_lines, text.lowercase, corpus.get("valid_characters")])


def _tokens(run: RunHistory) -> str:
    """What runs have in common that see one text as the same tokens."""
    if run.model is None or run.text is None or isinstance(run.text, LabellingConfig):
        return ""  # what is predicted is labels, whatever the tokens
    return json.dumps([run.text.level, run.text.unit, run.model.vocabulary, run.corpus.get("valid_tokens")])
