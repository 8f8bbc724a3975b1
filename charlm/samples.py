"""Text from a trained model: prompts go in, and text comes out as it is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.matching.limits import BUDGET, SECONDS
from charlm.nn.arrays import Ids
from charlm.sampling.config import BeamConfig, SamplingConfig
from charlm.sampling.constraints import Constraint
from charlm.sampling.drawn import Drawn
from charlm.sampling.many import Stream, draw_many, whole
from charlm.sampling.side_by_side import Job
from charlm.sampling.text_stops import LINES, STOP, Read, TextStops
from charlm.text.pieces import pieces_of_ids, pieces_of_text
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, SPECIAL_TOKENS


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


class Sample:
    """A text that a model continues a prompt with.

    Args:
        tokenizer: of the model.
        prompt: what it begins with.
        index: its number among those of this prompt, from 0.
        stream: its tokens.
        constraints: what it keeps to; an end in its text may cut its last token short.
        score: by which a search has chosen it; None where it was drawn.

    Attributes:
        prompt: likewise.
        index: likewise.
        score: likewise.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt: Prompt,
        index: int,
        stream: Stream,
        constraints: Sequence[Constraint] = (),
        score: float | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._stream = stream
        self._ends = next((each for each in constraints if isinstance(each, TextStops)), None)
        self.prompt = prompt
        self.index = index
        self.score = score

    def pieces(self) -> Iterator[bytes]:
        """The bytes behind the prompt, once: token by token of a sample that is being drawn, all of another."""
        if self._stream.live:
            yield from self._pieces()
        else:
            yield self._bytes()

    @property
    def drawn(self) -> Drawn:
        """Its ids, why it ended, and how likely they were if that was asked for; what is left is drawn first."""
        return self._stream.drawn

    @property
    def ids(self) -> Ids:
        """int64 [N], the tokens of the prompt and of what was drawn."""
        return np.concatenate((self.prompt.ids, self.drawn.ids))

    def shown(self) -> list[str]:
        """What stands in the text for each of ``ids``, as ``charlm.text.pieces`` has it."""
        pieces = pieces_of_ids(self._tokenizer, self.ids)
        if self.prompt.unknown:
            # Their text is known all the same.
            begun = len(self.prompt.ids)
            pieces[:begun] = pieces_of_text(self._tokenizer, self.prompt.text)[:begun]
        return pieces

    def settled(self) -> "Sample":
        """The same, drawn to its end; its pieces can be read once more."""
        drawn, ends = self.drawn, () if self._ends is None else (self._ends,)
        return Sample(self._tokenizer, self.prompt, self.index, whole(drawn), ends, self.score)

    @property
    def continuation(self) -> str:
        """The text behind the prompt; bytes that are no UTF-8 come as surrogates."""
        return self._bytes().decode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        """The whole text, prompt included."""
        return self.prompt.text + self.continuation

    @property
    def logprob(self) -> float | None:
        """Of all that was drawn, in nats, under the model; None where that was not asked for."""
        details = self.drawn.details
        return None if details is None else float(details.logprobs.sum())

    def tokens(self) -> list[str]:
        """Each token that was drawn, as it stands in the text; <EOS> and <UNK> by these names."""
        ids = self.drawn.ids.tolist()
        before = [self._before, *ids]
        return [token_text(self._tokenizer, token, after) for token, after in zip(ids, before, strict=False)]

    @property
    def _before(self) -> int | None:
        return int(self.prompt.ids[-1]) if len(self.prompt.ids) else None

    def _pieces(self) -> Iterator[bytes]:
        before = self._before
        read = Read(before)
        for token in self._stream:
            piece = self._tokenizer.decode_bytes(np.array([token]), after=before)
            if self._ends is not None:
                read = self._ends.after(read, token)
            yield piece[: len(piece) - read.excess]
            before = token

    def _bytes(self) -> bytes:
        drawn = self.drawn
        data = self._tokenizer.decode_bytes(drawn.ids, after=self._before)
        if self._ends is None or drawn.stop not in (LINES, STOP):
            return data
        read = reduce(self._ends.after, drawn.ids.tolist(), Read(self._before))
        return data[: len(data) - read.excess]


def token_text(tokenizer: Tokenizer, token: int, after: int | None) -> str:
    """A token as it stands in a text after another one, a space before it included; <EOS> and <UNK> by these names."""
    if token in (EOS, tokenizer.unknown_id):
        return SPECIAL_TOKENS[token]
    if tokenizer.level == "byte":
        return tokenizer.vocabulary.token(token)
    return tokenizer.decode(np.array([token]), after=after)


def draw_samples(
    model: TrainedModel,
    prompts: Sequence[Prompt],
    seed: int,
    number: int,
    config: SamplingConfig,
    *,
    match: str | None = None,
    budget: int = BUDGET,
    seconds: float = SECONDS,
) -> Iterator[Sample]:
    """Draw what comes after some prompts, several times.

    Each sample has random numbers of its own, which follow from the seed, its prompt's place and its number. They come
    in rounds, the first sample of every prompt, then the second of every prompt: so the samples of a smaller ``number``
    are the first ones of a larger one, bit for bit.

    Args:
        model: what to draw from.
        prompts: read by ``read_prompt``.
        seed: of all samples.
        number: how many for each prompt.
        config: how, made by ``charlm.sample_options.sampling_config``.
        match: a regular expression that what is drawn matches from end to end; see ``charlm.matching``.
        budget: tokens that may be tried for each sample that is to match.
        seconds: of processor time that the expression may take for each of them.

    Yields:
        The samples, in order; the first one while it is drawn.

    Raises:
        ModelError: the model gives no first token a probability.
        UsageError: the pattern is none, or no token can begin a match of it.
        SearchError: nothing that matches was found, or the pattern takes too long.
    """
    jobs = (
        Job(prompt.ids, (seed, index, place) if place else (seed, index))
        for index in range(number)
        for place, prompt in enumerate(prompts)
    )
    if match is None:
        streams = draw_many(model.network, jobs, config)
    else:
        from charlm.matching.patterns import Pattern  # noqa: PLC0415 - few samples are to match
        from charlm.matching.search import Matching  # noqa: PLC0415 - likewise

        pattern = Pattern(match, raw=model.tokenizer.level == "byte", seconds=seconds)
        streams = Matching(model.network, model.tokenizer, pattern, config, budget).streams(jobs)
    for order, stream in enumerate(streams):
        index, place = divmod(order, len(prompts))
        yield Sample(model.tokenizer, prompts[place], index, stream, config.constraints)


def find_samples(model: TrainedModel, prompts: Sequence[Prompt], config: BeamConfig) -> Iterator[Sample]:
    """Search for the likeliest texts behind some prompts; see ``charlm.sampling.beams``.

    Args:
        model: what gives texts their probabilities.
        prompts: read by ``read_prompt``.
        config: how, made by ``charlm.sample_options.beam_config``.

    Yields:
        The texts of each prompt, best first, with their scores and details.

    Raises:
        ModelError: the model gives no first token a probability.
    """
    from charlm.sampling.beams import beam_search  # noqa: PLC0415 - most samples are drawn

    for prompt in prompts:
        for index, found in enumerate(beam_search(model.network, prompt.ids, config)):
            stream = whole(found.drawn)
            yield Sample(model.tokenizer, prompt, index, stream, config.constraints, found.score)
