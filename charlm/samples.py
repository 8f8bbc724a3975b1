"""Text from a trained model: a prompt goes in, and text comes out as it is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.nn.arrays import Ids
from charlm.sampling import SamplingConfig, sample
from charlm.text.reading import normalise

DEFAULT_LENGTH = 500
"""Tokens that are drawn at most where nobody said."""


@dataclass(frozen=True)
class Prompt:
    """A text to go on from.

    Attributes:
        ids: int64 [N], its tokens.
        text: what the tokens stand for; at the word level without the space that the next word brings along.
        unknown: its tokens that the model does not know, each once.
    """

    ids: Ids
    text: str
    unknown: list[str]


def read_prompt(model: TrainedModel, text: str) -> Prompt:
    """Encode a text to go on from.

    Raises:
        UsageError: it has several lines, and the model's lines are independent.
    """
    text = normalise(text)
    if model.text.independent_lines and "\n" in text:
        raise UsageError("the prompt has several lines, but this model's lines are independent: give one line")
    text = model.tokenizer.trim_prompt(text)
    return Prompt(model.tokenizer.encode(text), text, model.tokenizer.unknown_in(text))


def draw_text(
    model: TrainedModel,
    prompt: Prompt,
    seed: Sequence[int],
    *,
    length: int = DEFAULT_LENGTH,
    temperature: float = 1.0,
    unknown: bool = False,
) -> Iterator[bytes]:
    """Draw what comes after a prompt.

    Models of independent lines end a sample with its line, models of whole files with the file.

    Args:
        model: what to draw from.
        prompt: read by ``read_prompt``.
        seed: of this sample alone.
        length: most tokens to draw.
        temperature: below 1 safer, above 1 bolder, 0 the likeliest token always.
        unknown: whether <UNK> may be drawn.

    Yields:
        The bytes of each token.

    Raises:
        UsageError: ``length`` or ``temperature`` is negative.
    """
    tokenizer = model.tokenizer
    ends = model.text.independent_lines or tokenizer.unit == "file"
    never = () if unknown or tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    config = SamplingConfig(length, temperature, never, (tokenizer.eos_id,) if ends else ())
    before = int(prompt.ids[-1]) if len(prompt.ids) else None
    for token in sample(model.network, prompt.ids, config, seed):
        yield tokenizer.decode_bytes(np.array([token]), after=before)
        before = token
