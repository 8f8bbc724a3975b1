"""What encoded text costs under a model, in the units people use."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from charlm.errors import NOT_FINITE, ModelError
from charlm.scorer import Scorer
from charlm.scores import NATS_PER_BIT, perplexity
from charlm.scoring import Parts
from charlm.text.parts import Part
from charlm.text.words_in import words_of_ids


@dataclass(frozen=True)
class EvaluationResult:
    """What ``charlm eval`` says of a text; ``oov`` counts its unknown tokens.

    ``bits_per_char`` is None for bytes that are no text and hold no character. ``word_perplexity`` is what a model of
    words would have for the same probability. ``unk_vocabulary`` tokens share that of <UNK> evenly.
    """

    tokens: int
    nats_per_token: float
    bits_per_token: float
    bits_per_char: float | None
    bits_per_byte: float
    perplexity: float
    oov: int
    nats_per_token_without_oov: float | None
    word_perplexity: float
    unk_vocabulary: int = 1

    @property
    def nats(self) -> float:
        """What the whole text costs."""
        return self.nats_per_token * self.tokens

    @property
    def bits(self) -> float:
        """The same in bits."""
        return self.bits_per_token * self.tokens

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm eval --json`` writes."""
        return {**asdict(self), "nats": self.nats, "bits": self.bits}


def evaluate_part(
    model: Scorer, part: Part, *, exact: bool = False, by_part: Parts | None = None, unk_vocabulary: int = 1
) -> EvaluationResult:
    """What encoded text costs under a model, each line under its label; see ``charlm.scoring.evaluate``.

    Raises:
        ModelError: the cost is not finite.
    """
    found = model.evaluate(part, exact=exact, by_part=by_part)
    if not math.isfinite(found.nats):
        raise ModelError(NOT_FINITE)
    nats = found.nats + found.unknown * math.log(unk_vocabulary)
    bits = nats / NATS_PER_BIT
    return EvaluationResult(
        tokens=found.tokens,
        nats_per_token=nats / found.tokens,
        bits_per_token=bits / found.tokens,
        bits_per_char=bits / part.characters if part.characters else None,
        bits_per_byte=bits / part.bytes,
        perplexity=perplexity(nats / found.tokens),
        oov=found.unknown,
        nats_per_token_without_oov=found.known_nats_per_token,
        word_perplexity=perplexity(nats / max(1, words_of_ids(part.ids, model.tokenizer))),
        unk_vocabulary=unk_vocabulary,
    )
