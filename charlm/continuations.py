"""The likeliest continuations of a text, with their probabilities.

At the word and token levels a continuation is one token. At the char and byte levels it is the rest of a word or
the next word, whatever its length, and its probability is that of its characters and of the word ending there:

    P(word | text) = product over t of P(c_t | text, c_1 .. c_{t-1}) * P(no further character of a word)

The search goes on from the likeliest beginning first. Since a beginning's probability bounds that of all words
that begin so, what it finds are the likeliest ones and no others.
"""

import heapq
import unicodedata
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.nn.arrays import Array, Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.samples import Prompt
from charlm.sampling.stream import check_logits, warm_up
from charlm.scoring import log_softmax

LANES = 32
"""Beginnings that are looked at together."""
MOST_EXPANSIONS = 20_000
"""So many, and the search ends with what it has found: the rest of the probability is spread too thin."""
WORD_MARKS = "'\u2019_"
"""What belongs to a word besides letters, digits and marks."""


@dataclass(frozen=True)
class Continuation:
    """What may come next.

    Attributes:
        text: appended to the prompt it continues it; an <EOS> is the line break (or nothing) that it stands for.
        probability: of this and nothing else.
        ends: whether it is <EOS>.
    """

    text: str
    probability: float
    ends: bool


def continuations(model: TrainedModel, prompt: Prompt, number: int = 10) -> list[Continuation]:
    """The likeliest continuations of a prompt, at most ``number``, likeliest first; <UNK> is none of them.

    Raises:
        UsageError: ``number`` is not positive.
    """
    require("-n", number, minimum=1)
    tokenizer, kinds = model.tokenizer, _kinds(model)
    before = int(prompt.ids[-1]) if len(prompt.ids) else None
    return [
        Continuation(
            tokenizer.decode(np.array(node.ids), after=before),
            float(np.exp(-node.cost)),
            ends=node.ids == (tokenizer.eos_id,),
        )
        for node in _Search(model.network, kinds, number).run(prompt.ids)
    ]


_NEVER, _WHOLE, _SPACE, _LETTER = range(4)
"""What a token is to the search: never shown, complete by itself, the space before a word, or part of a word."""


def _kinds(model: TrainedModel) -> NDArray[np.int8]:
    """The kind of every id, int8 [V]. At the word level every token is complete by itself."""
    tokenizer = model.tokenizer
    kinds = np.full(len(tokenizer), _WHOLE, np.int8)
    if tokenizer.level in ("char", "byte"):
        tokens = [tokenizer.vocabulary.token(i) for i in range(len(tokenizer))]
        kinds[:] = [_LETTER if _is_letter(token) else _SPACE if token.isspace() else _WHOLE for token in tokens]
        kinds[tokenizer.eos_id] = _WHOLE
    if tokenizer.unknown_id is not None:
        kinds[tokenizer.unknown_id] = _NEVER
    return kinds


def _is_letter(token: str) -> bool:
    """Whether a character is part of a word; so are the bytes that are not ASCII, which are shown as escapes."""
    return token.isalnum() or token in WORD_MARKS or len(token) > 1 or unicodedata.category(token).startswith("M")


@dataclass(order=True)
class _Node:
    """A continuation or the beginning of one, ordered by falling probability, then by its ids.

    Attributes:
        cost: minus the logarithm of its probability.
        ids: its tokens.
        complete: whether it ends here.
        states: in which the model is before the last of them.
    """

    cost: float
    ids: tuple[int, ...]
    complete: bool
    states: States = field(compare=False, repr=False)


class _Search:
    """Best-first search for the ``number`` likeliest complete continuations."""

    def __init__(self, network: LanguageModel, kinds: NDArray[np.int8], number: int) -> None:
        self._network = network
        self._kinds = kinds
        self._number = number
        self._work = network.new_workspace(1, LANES, keep=False)
        self._frontier: list[_Node] = []
        self._best: list[float] = []  # minus the costs of the likeliest complete ones, as a heap
        self._letters = np.flatnonzero(kinds == _LETTER)

    def run(self, prompt: Ids) -> list[_Node]:
        """The complete continuations, likeliest first."""
        self._begin(prompt)
        found: list[_Node] = []
        expanded = 0
        while self._frontier and expanded < MOST_EXPANSIONS:
            chosen: list[_Node] = []
            # What is complete waits until nothing that is likelier is left to go on from.
            while self._frontier and len(chosen) < LANES and not (chosen and self._frontier[0].complete):
                node = heapq.heappop(self._frontier)
                (found if node.complete else chosen).append(node)
                if len(found) == self._number:
                    return found
            self._expand(chosen)
            expanded += len(chosen)
        return (found + sorted(node for node in self._frontier if node.complete))[: self._number]

    def _begin(self, prompt: Ids) -> None:
        token, states = warm_up(self._network, prompt)
        logits, states = self._network.logits(self._network.new_workspace(1, 1, keep=False), token, None, states)
        check_logits(logits)
        self._push_children(_Node(0.0, (), complete=False, states=()), states, logits[:, 0, 0])

    def _expand(self, nodes: list[_Node]) -> None:
        """Run one step of the model for all of these together."""
        if not nodes:
            return
        # The workspace has room for a fixed number of lanes: those left over repeat the first.
        lanes = nodes + nodes[:1] * (LANES - len(nodes))
        states = tuple(
            tuple(np.concatenate(arrays, axis=1) for arrays in zip(*layers, strict=True))
            for layers in zip(*(node.states for node in lanes), strict=True)
        )
        tokens = np.array([[node.ids[-1] for node in lanes]])
        logits, after = self._network.logits(self._work, tokens, None, states)
        for lane, node in enumerate(nodes):
            mine = tuple(tuple(array[:, lane : lane + 1] for array in layer) for layer in after)
            self._push_children(node, mine, logits[:, 0, lane])

    def _push_children(self, node: _Node, states: States, logits: Array) -> None:
        logprobs = log_softmax(logits.astype(np.float64))
        in_word = bool(node.ids) and self._kinds[node.ids[-1]] == _LETTER
        if in_word:
            ends = np.exp(np.delete(logprobs, self._letters)).sum()
            if ends > 0:
                self._push(_Node(node.cost - float(np.log(ends)), node.ids, complete=True, states=()))
        kinds = self._kinds
        # Inside a word only letters go on; after a space, whatever is no letter is complete with it.
        open_kinds = (_LETTER,) if node.ids else (_LETTER, _SPACE)
        costs = node.cost - logprobs
        for i in self._letters.tolist() if in_word else np.flatnonzero(kinds != _NEVER).tolist():
            goes_on = kinds[i] in open_kinds
            if np.isfinite(costs[i]):
                self._push(_Node(float(costs[i]), (*node.ids, i), complete=not goes_on, states=states))

    def _push(self, node: _Node) -> None:
        if len(self._best) == self._number and node.cost > -self._best[0]:
            return  # so many complete ones are likelier that it cannot be among the found
        if node.complete:
            (heapq.heappush if len(self._best) < self._number else heapq.heappushpop)(self._best, -node.cost)
        heapq.heappush(self._frontier, node)
