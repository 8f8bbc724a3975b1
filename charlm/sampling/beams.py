"""Beam search: the likeliest continuations of a prompt, token by token, keeping the best beginnings.

A continuation of n tokens with log-probability l has the score of Wu et al. 2016, "Google's Neural Machine Translation
System", by which the best are chosen; alpha = 0 is the log-probability itself, the sum over its tokens:

    score = l / ((5 + n) / 6)^alpha

Beginnings of one length are compared by their log-probabilities. In groups they are diverse (Vijayakumar et al. 2018,
"Diverse Beam Search"): at each step the groups choose one after another, and a token loses ``diversity`` nats for every
beginning of the groups before that has just taken it. What is reported is without that loss.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charlm.nn.arrays import Ids
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import BeamConfig
from charlm.sampling.constraints import DEAD_END, EOS, LENGTH, Place, Rules
from charlm.sampling.drawn import Details, Drawn
from charlm.sampling.stream import check_logits, warm_up
from charlm.scoring import log_softmax


class Found(NamedTuple):
    """A continuation.

    Attributes:
        drawn: its tokens, their log-probabilities, and why it ended.
        logprob: of all of it, in nats.
        score: by which it was chosen.
    """

    drawn: Drawn
    logprob: float
    score: float


class _Node(NamedTuple):
    """The last token of a beginning, and the beginning before it."""

    before: "_Node | None"
    token: int
    logprob: float


class _Beam(NamedTuple):
    """A beginning.

    Attributes:
        node: its last token; None where there is none.
        length: how many there are.
        logprob: of all of it.
        guided: the same with what diversity takes from it.
        place: how far its constraints have come.
        lane: in which the model has read all but the last of it.
    """

    node: _Node | None
    length: int
    logprob: float
    guided: float
    place: Place
    lane: int


class _Ended(NamedTuple):
    """A continuation that has ended, with the score that diversity leaves it."""

    rank: float
    beam: _Beam
    why: str


def beam_search(model: LanguageModel, prompt: Ids, config: BeamConfig) -> list[Found]:
    """The continuations with the highest scores that the search finds, best first.

    With beams for every beginning that there is, these are the best of all.

    Args:
        model: what gives them probabilities.
        prompt: [N], ids; read from a start.
        config: how to search.

    Returns:
        At most ``config.number``, no two the same. Of several groups, each gives its best before one gives its second.

    Raises:
        ModelError: the model gives no first token a probability.
        UsageError: ``config.never`` leaves nothing to choose from.
    """
    rules = Rules(config.constraints, config.never, config.stop, model.config.vocabulary)
    root = _Beam(None, 0, 0.0, 0.0, rules.begin(prompt), 0)
    if root.place.ended is not None:
        return [] if root.place.ended == DEAD_END else [_found(_Ended(0.0, root, root.place.ended), config)]
    tokens, states = warm_up(model, prompt)
    work = model.new_workspace(1, config.beams, keep=False)
    states = tuple(tuple(np.repeat(part, config.beams, axis=1) for part in state) for state in states)
    tokens = np.repeat(tokens, config.beams, axis=1)
    groups = [_Group(config, rules, root) for _ in range(config.groups)]
    while alive := [beam for group in groups for beam in group.active]:
        logits, states = model.logits(work, tokens, None, states)
        if alive[0].length == 0:
            check_logits(logits)
        logprobs = log_softmax(logits[:, 0].astype(np.float64))
        taken = np.zeros(len(logprobs))
        for group in groups:
            np.add.at(taken, group.step(logprobs, taken), 1)
        tokens, lanes = _lanes(groups, config.beams)
        states = tuple(tuple(part[:, lanes] for part in state) for state in states)
    found = [_found(ended, config) for ended in _in_turn(groups, config.number)]
    return sorted(found, key=lambda each: -each.score)


class _Group:
    """Beams that are chosen together.

    Attributes:
        active: beginnings that go on.
        ended: what has ended, best first, no more than are wanted.
    """

    def __init__(self, config: BeamConfig, rules: Rules, root: _Beam) -> None:
        self._config = config
        self._rules = rules
        self._width = config.beams // config.groups
        self._stop = np.array(config.stop, np.int64)
        self.active = [root]
        self.ended: list[_Ended] = []

    def step(self, logprobs: NDArray[np.float64], taken: NDArray[np.float64]) -> list[int]:
        """Take each beginning one token further.

        Args:
            logprobs: [V, lanes], of the next token.
            taken: [V], how many beginnings of the groups before have just taken each.

        Returns:
            The tokens that were taken.
        """
        beams, self.active = self.active, []
        if not beams:
            return []
        own = logprobs[:, [beam.lane for beam in beams]].T
        guided = np.array([beam.guided for beam in beams])[:, None] + own - self._config.diversity * taken
        guided[~np.stack([self._rules.mask(beam.place) for beam in beams])] = -np.inf
        # What ends here is compared with all that has ended, and takes no place from what goes on.
        for place, beam in enumerate(beams):
            for token in self._stop.tolist():
                if guided[place, token] > -np.inf:
                    self._end(_further(beam, token, own[place], guided[place]), EOS)
        guided[:, self._stop] = -np.inf
        chosen: list[int] = []
        kept = 0
        for place, token in _best_first(guided, 2 * self._width):
            if kept == self._width:
                break
            beam = _further(beams[place], token, own[place], guided[place])
            beam = beam._replace(place=self._rules.after(beam.place, token))
            chosen.append(token)
            if beam.place.ended is not None:
                self._end(beam, beam.place.ended)
                continue
            kept += 1
            if beam.length == self._config.length:
                self._end(beam, LENGTH)
            else:
                self.active.append(beam)
        self.active = [beam for beam in self.active if self._may_win(beam)]
        return chosen

    def _end(self, beam: _Beam, why: str) -> None:
        """Keep a continuation if it is one of the best; what must not end where it does is none."""
        if why != DEAD_END:
            rank = beam.guided / _divisor(beam.length, self._config)
            self.ended.append(_Ended(rank, beam, why))
            self.ended.sort(key=lambda ended: -ended.rank)
            del self.ended[self._config.number :]

    def _may_win(self, beam: _Beam) -> bool:
        """Whether what begins so may be better than the worst of the best: no token makes a text likelier."""
        full = len(self.ended) == self._config.number
        return not full or beam.guided / _divisor(self._config.length, self._config) > self.ended[-1].rank


def _further(beam: _Beam, token: int, logprobs: NDArray[np.float64], guided: NDArray[np.float64]) -> _Beam:
    """A beginning with one more token; its constraints have not seen it yet."""
    logprob = float(logprobs[token])
    node = _Node(beam.node, token, logprob)
    return _Beam(node, beam.length + 1, beam.logprob + logprob, float(guided[token]), beam.place, beam.lane)


def _best_first(values: NDArray[np.float64], number: int) -> Iterator[tuple[int, int]]:
    """Rows and columns of values [N, V] above -inf, the largest first, and of equals those that come first.

    So many of them are found without sorting the others, which are sorted only if they are asked for.
    """
    flat, size = -values.ravel(), values.shape[1]
    least = np.partition(flat, number - 1)[number - 1] if number < flat.size else np.inf
    for some in (flat <= least, flat > least):
        places = np.flatnonzero(some & (flat < np.inf))
        yield from (divmod(int(place), size) for place in places[np.argsort(flat[places], kind="stable")])


def _lanes(groups: Sequence[_Group], width: int) -> tuple[Ids, list[int]]:
    """Deal the beginnings that go on into lanes.

    Returns:
        Their last tokens, [1, lanes], and from which lane the states of each come. Lanes left over repeat the first.
    """
    lanes, tokens = [0] * width, np.zeros((1, width), np.int64)
    place = 0
    for group in groups:
        for index, beam in enumerate(group.active):
            assert beam.node is not None  # noqa: S101 - it has taken a token
            lanes[place], tokens[0, place] = beam.lane, beam.node.token
            group.active[index] = beam._replace(lane=place)
            place += 1
    return tokens, lanes


def _in_turn(groups: Sequence[_Group], number: int) -> list[_Ended]:
    """The best of each group, then the second of each, and so on, no continuation twice."""
    found: dict[tuple[int, ...], _Ended] = {}
    for turn in range(number):
        for group in groups:
            if turn < len(group.ended) and len(found) < number:
                ended = group.ended[turn]
                found.setdefault(_ids(ended.beam.node), ended)
    return list(found.values())


def _found(ended: _Ended, config: BeamConfig) -> Found:
    beam, nodes = ended.beam, _nodes(ended.beam.node)
    ids, logprobs = np.array([node.token for node in nodes], np.int64), np.array([node.logprob for node in nodes])
    nothing = np.zeros((len(ids), 0))
    details = Details(logprobs, logprobs, nothing.astype(np.int64), nothing)
    return Found(Drawn(ids, ended.why, details), beam.logprob, beam.logprob / _divisor(beam.length, config))


def _divisor(length: int, config: BeamConfig) -> float:
    """What a log-probability of so many tokens is divided by."""
    divisor: float = ((5 + length) / 6) ** config.length_penalty
    return divisor


def _nodes(node: _Node | None) -> list[_Node]:
    nodes = []
    while node is not None:
        nodes.append(node)
        node = node.before
    return nodes[::-1]


def _ids(node: _Node | None) -> tuple[int, ...]:
    return tuple(each.token for each in _nodes(node))
