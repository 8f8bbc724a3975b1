"""What may stand in the gaps of a text, by the probability of the whole.

    P(text with the gaps filled) = P(before) P(gap | before) P(behind | before, gap)

Candidates come from the left: the likeliest texts of up to so many tokens behind what stands before a gap, as a beam
search finds them. Then what stands behind the gap is read, and those are kept with which the text so far is likeliest.
In the end all that are left are scored as ``charlm score`` does, whole and with <EOS>. Where there are no more
candidates than the beam is wide, nothing is left out, and what is found is what trying everything would find.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.errors import SearchError, UsageError
from charlm.nn.arrays import Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.sampling.stream import check_logits, warm_up
from charlm.scores import score_all
from charlm.scoring import log_softmax
from charlm.text.pieces import pieces_of_ids
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import MARK

GAP = "___"
"""What stands for a gap."""
WIDTH = 256
"""Candidates that are kept at each length."""
LONGEST = {"char": 12, "byte": 12, "word": 3, "token": 3}
"""Tokens that a gap has room for where nobody said, by level."""
LANES = 64
"""Candidates that are read side by side."""
_WHOLE = ("word", "token")
"""Levels at which a gap is whole words."""
_SOLID = "a"
"""A token that stands for whatever fills a gap where what is behind it is cut into tokens."""


@dataclass(frozen=True)
class Filled:
    """A text with its gaps filled.

    Attributes:
        text: the whole.
        fills: what stands in each gap.
        logprob: log P(text) in nats, <EOS> included, as ``charlm score`` gives it.
    """

    text: str
    fills: tuple[str, ...]
    logprob: float

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm sample --fill --jsonl`` writes."""
        return asdict(self) | {"fills": list(self.fills)}


def fill(
    model: TrainedModel, template: str, number: int = 10, *, longest: int | None = None, width: int = WIDTH
) -> list[Filled]:
    """The likeliest fillings of the gaps of a text that were found, likeliest first.

    Args:
        model: whose probabilities.
        template: a text with ``___`` for each gap; at the levels of words and tokens a gap is whole ones.
        number: how many to give, at most.
        longest: most tokens in a gap; None for what suits the level.
        width: candidates that are kept at each length; more find more.

    Raises:
        UsageError: there is no gap, an argument is out of range, or a gap is part of a word that the model takes whole.
        SearchError: nothing was found that fits.
        ModelError: the model gives no first token a probability.
    """
    longest = LONGEST[model.tokenizer.level] if longest is None else longest
    require("-n", number, minimum=1)
    require("--gap", longest, minimum=1)
    require("--width", width, minimum=1)
    tokenizer, parts = model.tokenizer, _parts(model, template)
    beam = _Beam.beginning(model.network, tokenizer.encode_prompt(parts[0]))
    never = np.array([i for i in (tokenizer.eos_id, tokenizer.unknown_id) if i is not None])
    for index, part in enumerate(parts[1:], start=2):
        last = index == len(parts)
        beam = beam.opened().grown(longest, width, never).opened().read(_ids_behind(tokenizer, part, last=last))
        beam = beam if last else beam.likeliest(width)
    candidates = (_fills(tokenizer, parts, segments) for segments in beam.ids)
    # A text that can be cut into gaps in two ways counts once.
    found = {_joined(parts, fits): fits for fits in candidates if fits is not None}
    if not found:
        raise SearchError(f"nothing was found that fits into {template!r}: raise --gap or --width")
    ranked = [Filled(score.text, found[score.text], score.logprob) for score in score_all(model, list(found))]
    return sorted(ranked, key=lambda each: -each.logprob)[:number]


Segments = tuple[tuple[int, ...], ...]


def unknown_around(model: TrainedModel, template: str) -> list[str]:
    """The tokens around the gaps of a text that the model does not know."""
    tokenizer, parts = model.tokenizer, _parts(model, template)
    found: list[str] = []
    for index, part in enumerate(parts):
        # The space between a word and a gap is no token of what stands beside the gap.
        filled = _SOLID if index and tokenizer.level in _WHOLE else ""
        read = filled + part if index == len(parts) - 1 else tokenizer.trim_prompt(filled + part)
        unknown = tokenizer.unknown_in(read)
        found += [token.removeprefix(MARK) or token for token in tokenizer.cut(read)[len(filled) :] if token in unknown]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Beam:
    """Beginnings of texts, side by side.

    Attributes:
        network: what reads them.
        ids: the tokens of each: those before the first gap, those in it, those behind it, and so on.
        logprobs: [N], of each.
        following: [V, N], log-probabilities of what comes next.
        states: after each, N lanes.
    """

    network: LanguageModel
    ids: list[Segments]
    logprobs: NDArray[np.float64]
    following: NDArray[np.float64]
    states: States

    @classmethod
    def beginning(cls, network: LanguageModel, ids: Ids) -> "_Beam":
        """A single text."""
        token, states = warm_up(network, ids)
        logits, after = network.logits(network.new_workspace(1, 1, keep=False), token, None, states)
        check_logits(logits)
        following = log_softmax(logits[:, 0].astype(np.float64))
        return cls(network, [(tuple(ids.tolist()),)], np.zeros(1), following, after)

    def opened(self) -> "_Beam":
        """The same texts, of which each goes on with a new segment."""
        return replace(self, ids=[(*segments, ()) for segments in self.ids])

    def grown(self, longest: int, width: int, never: NDArray[np.int64]) -> "_Beam":
        """The likeliest texts with one token more, with two, and so on, ``width`` of each length."""
        lengths, last = [], self
        for _ in range(longest):
            logprobs = last.logprobs + last.following
            logprobs[never] = -np.inf
            flat = logprobs.T.ravel()
            best = _largest(flat, min(width, int(np.isfinite(flat).sum())))
            last = last.followed(*np.divmod(best, len(logprobs)))
            lengths.append(last)
        return _together(lengths)

    def followed(self, lanes: NDArray[np.int64], tokens: NDArray[np.int64]) -> "_Beam":
        """Some of the texts, each with a token more.

        Args:
            lanes: [n], which of them.
            tokens: [n].
        """
        work = self.network.new_workspace(1, LANES, keep=False)
        following, after = [], []
        for first in range(0, len(lanes), LANES):
            # The workspace has room for a fixed number of lanes: those left over repeat the first.
            some = np.resize(lanes[first : first + LANES], LANES)
            some[len(lanes) - first :] = lanes[first]
            fed = np.zeros((1, LANES), np.int64)
            taken = tokens[first : first + LANES]
            fed[0, : len(taken)] = taken
            logits, states = self.network.logits(work, fed, None, _lanes_of(self.states, some))
            following.append(log_softmax(logits[:, 0, : len(taken)].astype(np.float64)))
            after.append(_lanes_of(states, np.arange(len(taken))))
        return _Beam(
            self.network,
            [_longer(self.ids[lane], token) for lane, token in zip(lanes.tolist(), tokens.tolist(), strict=True)],
            self.logprobs[lanes] + self.following[tokens, lanes],
            np.concatenate(following, axis=1),
            _side_by_side(after),
        )

    def read(self, ids: Sequence[int]) -> "_Beam":
        """All of the texts with the same tokens behind them."""
        beam = self
        for token in ids:
            lanes = np.arange(len(beam.ids))
            beam = beam.followed(lanes, np.full(len(lanes), token))
        return beam

    def likeliest(self, number: int | None) -> "_Beam":
        """So many of the texts, likeliest first; all of them for None."""
        best = np.argsort(-self.logprobs, kind="stable")[:number]
        ids = [self.ids[i] for i in best.tolist()]
        return _Beam(self.network, ids, self.logprobs[best], self.following[:, best], _lanes_of(self.states, best))


def _longer(segments: Segments, token: int) -> Segments:
    """Segments, the last of them with a token more."""
    return (*segments[:-1], (*segments[-1], token))


def _largest(values: NDArray[np.float64], number: int) -> NDArray[np.int64]:
    """Where the largest of values [n] stand, largest first."""
    some = np.argpartition(-values, number)[:number] if number < len(values) else np.arange(len(values))
    order: NDArray[np.int64] = some[np.argsort(-values[some], kind="stable")]
    return order


def _together(beams: Sequence[_Beam]) -> _Beam:
    return _Beam(
        beams[0].network,
        [ids for beam in beams for ids in beam.ids],
        np.concatenate([beam.logprobs for beam in beams]),
        np.concatenate([beam.following for beam in beams], axis=1),
        _side_by_side([beam.states for beam in beams]),
    )


def _lanes_of(states: States, lanes: NDArray[np.int64]) -> States:
    return tuple(tuple(part[:, lanes] for part in layer) for layer in states)


def _side_by_side(parts: Sequence[States]) -> States:
    return tuple(
        tuple(np.concatenate(arrays, axis=1) for arrays in zip(*layers, strict=True))
        for layers in zip(*parts, strict=True)
    )


def _parts(model: TrainedModel, template: str) -> list[str]:
    """What stands around the gaps, as the model reads it.

    Raises:
        UsageError: there is no gap, or the text does not fit the model.
    """
    text = normalise(template)
    parts = (text.lower() if model.tokenizer.lowercase else text).split(GAP)
    if len(parts) == 1:
        raise UsageError(f"--fill {template!r} has no gap: put {GAP} where text is to be found")
    if any(not part for part in parts[1:-1]):
        raise UsageError(f"--fill {template!r} has two gaps with nothing between them: one gap has room for both")
    if model.text.independent_lines and "\n" in text:
        raise UsageError("the text has several lines, but this model's lines are independent: give one line")
    if model.tokenizer.level in _WHOLE:
        for before, behind in pairwise(parts):
            beside = (model.tokenizer.cut(before + _SOLID)[-1], model.tokenizer.cut(_SOLID + behind)[0])
            if any(token.removeprefix(MARK) != _SOLID for token in beside):
                raise UsageError(f"--fill {template!r}: this model has no parts of words, so a gap must be whole words")
    return parts


def _ids_behind(tokenizer: Tokenizer, part: str, *, last: bool) -> list[int]:
    """The tokens of what stands behind a gap, but for a space before the next one, which what fills it brings along."""
    encode = tokenizer.encode if last else tokenizer.encode_prompt
    if tokenizer.level in _WHOLE:
        ids: list[int] = encode(_SOLID + part).tolist()[1:]
        return ids
    return list(encode(part).tolist())


def _fills(tokenizer: Tokenizer, parts: Sequence[str], segments: Segments) -> tuple[str, ...] | None:
    """What stands in the gaps of a candidate; None where its tokens are not those of the text that they make."""
    pieces, place, fills = pieces_of_ids(tokenizer, np.array([i for ids in segments for i in ids])), 0, []
    for index, ids in enumerate(segments):
        text = "".join(pieces[place : place + len(ids)])
        place += len(ids)
        if index % 2:
            before = parts[index // 2]
            implied = len(tokenizer.trim_prompt(before)) < len(before)
            fills.append(text[1:] if implied else text)
    tokens = tokenizer.encode(_joined(parts, fills)).tolist()
    return tuple(fills) if tokens == [i for ids in segments for i in ids] else None


def _joined(parts: Sequence[str], fills: Sequence[str]) -> str:
    """The whole text."""
    return parts[0] + "".join(text for pair in zip(fills, parts[1:], strict=True) for text in pair)
