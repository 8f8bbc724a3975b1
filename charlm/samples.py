"""Text from a trained model: a prompt goes in, and text comes out as it is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.nn.arrays import Ids
from charlm.sampling.config import SamplingConfig
from charlm.sampling.side_by_side import MOST_LANES, sample_side_by_side
from charlm.sampling.stream import sample
from charlm.text.reading import normalise

DEFAULT_LENGTH = 500
"""Tokens that are drawn at most where nobody said."""
FEW_LANES = 8
"""Lanes for so many samples; for more there are as many lanes as can be."""


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
    config = _config(model, length, temperature, unknown=unknown)
    before = int(prompt.ids[-1]) if len(prompt.ids) else None
    for token in sample(model.network, prompt.ids, config, seed):
        yield model.tokenizer.decode_bytes(np.array([token]), after=before)
        before = token


def draw_texts(
    model: TrainedModel,
    prompt: Prompt,
    seed: int,
    number: int,
    *,
    length: int = DEFAULT_LENGTH,
    temperature: float = 1.0,
    unknown: bool = False,
) -> Iterator[Iterator[bytes]]:
    """Draw several samples, each with a seed of its own that follows from ``seed``; as ``draw_text`` otherwise.

    A single one comes as it is drawn. Several are drawn side by side, which is many times as fast, and come whole.

    Yields:
        For each sample, in order, its bytes.
    """
    seeds = ((seed, index) for index in range(number))
    if number == 1:
        yield draw_text(model, prompt, next(seeds), length=length, temperature=temperature, unknown=unknown)
        return
    config = _config(model, length, temperature, unknown=unknown)
    before = int(prompt.ids[-1]) if len(prompt.ids) else None
    lanes = FEW_LANES if number <= FEW_LANES else MOST_LANES
    # Samples end in another order than they begin in.
    ended: dict[int, Ids] = {}
    following = 0
    for index, ids in sample_side_by_side(model.network, prompt.ids, config, seeds, lanes):
        ended[index] = ids
        while following in ended:
            yield iter([model.tokenizer.decode_bytes(ended.pop(following), after=before)])
            following += 1


def _config(model: TrainedModel, length: int, temperature: float, *, unknown: bool) -> SamplingConfig:
    tokenizer = model.tokenizer
    ends = model.text.independent_lines or tokenizer.unit == "file"
    never = () if unknown or tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    return SamplingConfig(length, temperature, never, (tokenizer.eos_id,) if ends else ())
