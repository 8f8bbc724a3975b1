"""Samples that match a regular expression.

Each token is drawn from the model's distribution over those that can lead to a match (``patterns.py``), the others
being masked. Where no token leads on, which a vocabulary or a limit of length may bring about, the last token is taken
back and is not drawn there again. After so many dead ends a search begins anew, with twice the patience: what a
pattern needs may be decided at the beginning of a text, and going back step by step would take for ever to get there.

Where a model's lines, or files, end with <EOS>, so does a sample, and <EOS> may come only where the text matches. In
a stream nothing ends: there a sample ends where it matches, and the model draws what the pattern cannot go on with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.constrained.patterns import NextTokens, Pattern
from charlm.errors import SearchError, UsageError
from charlm.nn.arrays import Flags, Ids, States
from charlm.samples import Prompt
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Drawer
from charlm.sampling.stream import check_logits, generator_of, warm_up

BUDGET = 20_000
"""Tokens that a search may try for one sample."""
PATIENCE = 64
"""Dead ends after which a search begins anew, for the first time."""


@dataclass(frozen=True)
class Matched:
    """A sample that matches.

    Attributes:
        ids: int64 [n], what was drawn; the last may be <EOS>.
        text: what matches: the text of these without <EOS>, and without the space that a first word brings along.
        tried: tokens that were tried for it.
    """

    ids: Ids
    text: str | bytes
    tried: int


@dataclass
class _Place:
    """A text that may become a match, and what the model says of its next token.

    Attributes:
        ids: its tokens.
        text: what they stand for.
        logits: [V].
        open: [V], which tokens can lead to a match, those that were taken back left out.
        met: whether it matches as it is.
        states: in which the next token is to be read.
    """

    ids: tuple[int, ...]
    text: str | bytes
    logits: NDArray[np.float64]
    open: Flags
    met: bool
    states: States


class Matching:
    """Draws samples that match a pattern.

    Args:
        model: what to draw from.
        prompt: what comes before, which is no part of what matches.
        pattern: what samples are to match, from end to end.
        config: how tokens are drawn; ``stop`` is what ends a sample, if anything does.
        budget: tokens that may be tried for each sample.

    Raises:
        UsageError: ``budget`` is not positive, no token of the model can begin a match, or the pattern takes too long.
        ModelError: the model gives no first token a probability.
    """

    def __init__(
        self, model: TrainedModel, prompt: Prompt, pattern: Pattern, config: SamplingConfig, budget: int = BUDGET
    ) -> None:
        require("--budget", budget, minimum=1)
        self._network = model.network
        self._pattern = pattern
        self._config = config
        self._budget = budget
        self._next = NextTokens(pattern, model.tokenizer, (*config.never, *config.stop))
        self._drawer = Drawer(config, len(model.tokenizer))
        self._work = model.network.new_workspace(1, 1, keep=False)
        token, states = warm_up(model.network, prompt.ids)
        self._first = self._place(token, states, (), self._next.empty)
        check_logits(self._first.logits)
        if not self._first.met and not self._first.open.any():
            raise UsageError(
                f"no token of this model can begin a text that matches --match {pattern.source!r}: "
                "see its tokens with charlm vocab"
            )

    def draw(self, seed: Sequence[int]) -> Matched:
        """Draw a sample.

        Args:
            seed: of this sample alone; the same seed gives the same sample.

        Raises:
            SearchError: there is none, or none was found within the budget.
            UsageError: the pattern takes too long.
        """
        generator, patience, tried = generator_of(seed), PATIENCE, 0
        while tried < self._budget:
            found, tokens = self._attempt(generator, patience, self._budget - tried)
            tried += tokens
            if found is not None:
                return Matched(np.array(found.ids, np.int64), found.text, tried)
            patience *= 2
        raise SearchError(
            f"no text that matches --match {self._pattern.source!r} was found among {tried:,} tokens that were tried: "
            "raise --budget or --length, or ask for less"
        )

    def _attempt(self, generator: np.random.Generator, patience: int, budget: int) -> tuple[_Place | None, int]:
        """Search until a text matches; None where patience or budget end before; and how many tokens were tried.

        Raises:
            SearchError: everything has been tried.
        """
        places = [self._fresh_first()]
        tried = dead_ends = 0
        while places:
            place = places[-1]
            token = self._choose(place, generator)
            if token == _HERE:
                return place, tried
            if token != _NOWHERE:
                if tried == budget:
                    return None, tried
                tried += 1
                if token in self._config.stop:
                    place.ids += (token,)
                    return place, tried
                places.append(self._follow(place, token))
                continue
            dead_ends += 1
            if dead_ends > patience:
                return None, tried
            places.pop()
            if places:
                places[-1].open[place.ids[-1]] = False
        raise SearchError(
            f"no text of up to {self._config.length:,} tokens of this model matches --match "
            f"{self._pattern.source!r}: raise --length, or ask for less"
        )

    def _choose(self, place: _Place, generator: np.random.Generator) -> int:
        """The token to go on with; ``_HERE`` where the sample ends, ``_NOWHERE`` where no token leads on."""
        stop, at_end = self._config.stop, len(place.ids) == self._config.length
        if at_end or not (place.open.any() or (stop and place.met)):
            return _HERE if place.met else _NOWHERE
        allowed = place.open
        if place.met:
            # In a stream all tokens have their share of the end that the pattern cannot go on with.
            allowed = np.ones_like(allowed) if not stop else allowed.copy()
            allowed[list(stop)] = True
        token = self._drawer.draw_one(np.where(allowed, place.logits, -np.inf), generator.random())
        return token if place.open[token] or token in stop else _HERE

    def _fresh_first(self) -> _Place:
        first = self._first
        return _Place(first.ids, first.text, first.logits, first.open.copy(), first.met, first.states)

    def _follow(self, place: _Place, token: int) -> _Place:
        text = self._next.text(token, place.text, place.ids[-1] if place.ids else None)
        return self._place(np.array([[token]]), place.states, (*place.ids, token), text)

    def _place(self, token: Ids, states: States, ids: tuple[int, ...], text: str | bytes) -> _Place:
        logits, after = self._network.logits(self._work, token, None, states)
        allowed = self._next.allowed(text, ids[-1] if ids else None).copy()
        return _Place(
            ids, text, logits[:, 0, 0].astype(np.float64), allowed, self._pattern.is_met(text), after
        )


_HERE, _NOWHERE = -1, -2
