"""What the commands that compare texts and models share: odds, texts and unknown tokens as they are shown."""

import math
from typing import TYPE_CHECKING

from charlm.cli.console import counted, note, visible

if TYPE_CHECKING:
    from charlm.scorer import Scorer

SHOWN_CHARACTERS = 400
"""Longer texts are cut where they are shown."""
MOST_ODDS = 1_000_000
UNKNOWN = "  [unknown tokens]"


def shown(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """A text on one line: as it is where that shows it, otherwise in quotes; cut where it is long."""
    cut = text if len(text) <= most else text[:most]
    plain = text and text == text.strip() and cut.isprintable()
    return (cut if plain else visible(cut)) + (f" ... ({len(text):,} characters)" if cut is not text else "")


def odds(nats: float) -> str:
    """Odds against something, of a difference of log-probabilities: 12 : 1, 1 : 3.5, over 1,000,000 : 1."""
    most = math.log(MOST_ODDS)
    if abs(nats) > most:
        return f"over {MOST_ODDS:,} : 1" if nats > 0 else f"1 : over {MOST_ODDS:,}"
    number = _number(math.exp(abs(nats)))
    return f"{number} : 1" if nats >= 0 else f"1 : {number}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three figures


def note_unknown(trained: "Scorer", number: int, noun: str = "text") -> None:
    """Warn that scores of so many texts, or pairs of them, with unknown tokens do not compare."""
    danger = (
        "<UNK> stands for all unknown tokens at once, so such texts look likelier than they are"
        if trained.tokenizer.vocabulary.counts[1]
        else "the training text had none, so what <UNK> costs is arbitrary"
    )
    note(
        f"{counted(number, f'{noun} holds', f'{noun}s hold')} tokens the model does not know: {danger}, "
        "and their figures do not compare"
    )
