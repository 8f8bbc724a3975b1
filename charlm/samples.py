"""Text from a trained model: a prompt goes in, and text comes out as it is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.nn.arrays import Ids
from charlm.sampling.config import SamplingConfig
from charlm.sampling.many import Stream, draw_many
from charlm.sampling.side_by_side import Job
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
    """Draw what comes after a prompt, several times.

    Models of independent lines end a sample with its line, models of whole files with the file.

    Args:
        model: what to draw from.
        prompt: read by ``read_prompt``.
        seed: of all samples; each has one of its own that follows from it.
        number: how many.
        length: most tokens to draw.
        temperature: below 1 safer, above 1 bolder, 0 the likeliest token always.
        unknown: whether <UNK> may be drawn.

    Yields:
        For each sample, in order, the bytes of its tokens; the first one as it is drawn.

    Raises:
        UsageError: ``length`` or ``temperature`` is negative.
    """
    config = _config(model, length, temperature, unknown=unknown)
    jobs = (Job(prompt.ids, (seed, index)) for index in range(number))
    before = int(prompt.ids[-1]) if len(prompt.ids) else None
    for stream in draw_many(model.network, jobs, config):
        yield _pieces(model, stream, before)


def _pieces(model: TrainedModel, stream: Stream, before: int | None) -> Iterator[bytes]:
    for token in stream:
        yield model.tokenizer.decode_bytes(np.array([token]), after=before)
        before = token


def _config(model: TrainedModel, length: int, temperature: float, *, unknown: bool) -> SamplingConfig:
    tokenizer = model.tokenizer
    ends = model.text.independent_lines or tokenizer.unit == "file"
    never = () if unknown or tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    return SamplingConfig(length, temperature, never, (tokenizer.eos_id,) if ends else ())
