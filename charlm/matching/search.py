"""Samples that match a regular expression.

Each token is drawn from the model's distribution over those that can lead to a match (``patterns.py``), the others
being masked. Where no token leads on, which a vocabulary or a limit of length may bring about, the last token is taken
back and is not drawn there again. After so many dead ends a search begins anew: what a pattern needs may be decided at
the beginning of a text, and going back step by step would take for ever to get there. How many, follows the sequence of
Luby, Sinclair and Zuckerman (1993), 1, 1, 2, 1, 1, 2, 4, ..., which is never far from the best one for a pattern.

Where a model's lines, or files, end with <EOS>, so does a sample, and <EOS> may come only where the text matches. In
a stream nothing ends: there a sample ends where it matches, and the model draws what the pattern cannot go on with.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from charlm.config import require
from charlm.errors import SearchError, UsageError
from charlm.matching.limits import BUDGET
from charlm.matching.patterns import NextTokens, Pattern
from charlm.nn.arrays import Array, Flags, Ids, States
from charlm.nn.language_model import LanguageModel
from charlm.sampling.config import SamplingConfig
from charlm.sampling.constraints import DEAD_END, EOS, LENGTH, Place, Rules
from charlm.sampling.drawing import Choice, Chooser
from charlm.sampling.drawn import Details, Drawn
from charlm.sampling.many import Stream, whole
from charlm.sampling.side_by_side import Job
from charlm.sampling.stream import check_logits, generator_of, warm_up
from charlm.text.tokenizer import Tokenizer

PATIENCE = 16
"""Dead ends after which a search begins anew; a multiple of them later on."""
MATCH = "match"
"""Why a sample ended: it matches, and there is no <EOS> that would end it."""
_HERE, _NOWHERE = -1, -2


@dataclass
class _Step:
    """A text that may become a match, and what the model says of its next token.

    Attributes:
        ids: its tokens.
        text: what they stand for, without the space that a first word brings along.
        choice: how the last of them was drawn; None before the first.
        logits: [V, 1].
        open: bool [V], which tokens can lead to a match, those that were taken back left out.
        met: whether it matches as it is.
        place: what the other constraints say.
        states: in which the next token is to be read.
    """

    ids: tuple[int, ...]
    text: Any
    choice: Choice | None
    logits: Array
    open: Flags
    met: bool
    place: Place
    states: States


class Matching:
    """Draws samples that match a pattern.

    Args:
        network: what to draw from.
        tokenizer: whose tokens.
        pattern: what samples are to match, from end to end; the prompt is no part of them.
        config: how tokens are drawn; ``stop`` is what ends a sample, if anything does.
        budget: tokens that may be tried for each sample.

    Raises:
        UsageError: ``budget`` is not positive.
    """

    def __init__(
        self,
        network: LanguageModel,
        tokenizer: Tokenizer,
        pattern: Pattern,
        config: SamplingConfig,
        budget: int = BUDGET,
    ) -> None:
        require("--budget", budget, minimum=1)
        vocabulary = len(tokenizer)
        self._network = network
        self._pattern = pattern
        self._config = config
        self._budget = budget
        self._next = NextTokens(pattern, tokenizer, (*config.never, *config.stop))
        self._rules = Rules(config.constraints, config.never, config.stop, vocabulary)
        self._chooser = Chooser(config, vocabulary)
        self._work = network.new_workspace(1, 1, keep=False)

    def streams(self, jobs: Iterable[Job]) -> Iterator[Stream]:
        """Samples that match, in their order, each whole; otherwise as ``draw``."""
        return (whole(self.draw(job)) for job in jobs)

    def draw(self, job: Job) -> Drawn:
        """Draw a sample.

        Args:
            job: what comes before it, and its seed.

        Raises:
            UsageError: no token of the model can begin a match.
            SearchError: there is no match, none was found within the budget, or the pattern takes too long.
            ModelError: the model gives no first token a probability.
        """
        self._check_length()
        self._pattern.new_sample()
        token, states = warm_up(self._network, job.prompt)
        first = self._step(token, states, (), self._next.empty, None, self._rules.begin(job.prompt))
        check_logits(first.logits)
        if not first.met and not first.open.any():
            raise UsageError(
                f"no token of this model can begin a text that matches --match {self._pattern.source!r}: "
                "charlm vocab shows its tokens"
            )
        generator, tried, attempts = generator_of(job.seed), 0, 0
        while tried < self._budget:
            attempts += 1
            patience = PATIENCE * _luby(attempts)
            steps, tokens = self._attempt(first, job.prompt, generator, patience, self._budget - tried)
            tried += tokens
            if steps:
                return self._drawn(steps)
        raise SearchError(
            f"no text that matches --match {self._pattern.source!r} was found among {tried:,} tokens that were tried: "
            "raise --budget or --length, or ask for less"
        )

    def _check_length(self) -> None:
        """Check that matches are not all longer than a sample may be.

        Raises:
            SearchError: they are.
        """
        most, least = self._config.length * self._next.longest, self._pattern.shortest
        if least > most:
            unit = "characters" if isinstance(self._next.empty, str) else "bytes"
            raise SearchError(
                f"a text that matches --match {self._pattern.source!r} has {least:,} {unit} at least, and "
                f"{self._config.length:,} tokens of this model have {most:,} at most: raise --length, or ask for less"
            )

    def _attempt(
        self, first: _Step, prompt: Ids, generator: np.random.Generator, patience: int, budget: int
    ) -> tuple[list[_Step], int]:
        """Search until a text matches; none where patience or budget end before; and how many tokens were tried.

        Raises:
            SearchError: everything has been tried.
        """
        steps, tried, dead_ends = [first], 0, 0
        while steps:
            step = steps[-1]
            token, choice = self._choose(step, prompt, generator)
            if token == _HERE:
                return steps, tried
            if token != _NOWHERE:
                if tried == budget:
                    return [], tried
                tried += 1
                steps.append(self._followed(step, token, choice))
                if token in self._config.stop:
                    return steps, tried
                continue
            dead_ends += 1
            if dead_ends > patience:
                return [], tried
            steps.pop()
            if steps:
                # Everything behind it has been tried: for the next attempt too, where this is the first place.
                steps[-1].open[step.ids[-1]] = False
        raise SearchError(
            f"no text of up to {self._config.length:,} tokens of this model matches --match "
            f"{self._pattern.source!r}: raise --length, or ask for less"
        )

    def _choose(self, step: _Step, prompt: Ids, generator: np.random.Generator) -> tuple[int, Choice | None]:
        """The token to go on with; ``_HERE`` where the sample ends, ``_NOWHERE`` where no token leads on."""
        stop, ended = list(self._config.stop), step.place.ended
        if ended is not None or len(step.ids) == self._config.length:
            return (_HERE if step.met and ended != DEAD_END else _NOWHERE), None
        allowed = step.open
        if step.met and stop:
            allowed = allowed.copy()
            allowed[stop] = True
        if not allowed.any():
            return (_HERE if step.met else _NOWHERE), None
        if step.met and not stop:
            # In a stream all tokens that the pattern cannot go on with have their share of the end.
            allowed = self._rules.mask(step.place)
        recent = self._recent((*prompt.tolist(), *step.ids))
        choice = self._chooser.choose(step.logits, generator.random(1), recent, allowed[:, None])
        token = int(choice.ids[0])
        return (token if step.open[token] or token in stop else _HERE), choice

    def _recent(self, ids: tuple[int, ...]) -> Flags | None:
        """What a repetition penalty is for, bool [V, 1]; None where there is none."""
        filters = self._config.filters
        if filters.penalty == 1:
            return None
        recent = np.zeros((self._network.config.vocabulary, 1), np.bool_)
        recent[list(ids[-filters.window :])] = True
        return recent

    def _followed(self, step: _Step, token: int, choice: Choice | None) -> _Step:
        """A step further."""
        ids = (*step.ids, token)
        if token in self._config.stop:
            return _Step(ids, step.text, choice, step.logits, step.open, step.met, step.place, step.states)
        text = self._next.text(token, step.text, step.ids[-1] if step.ids else None)
        place = self._rules.after(step.place, token)
        return self._step(np.array([[token]]), step.states, ids, text, choice, place)

    def _step(
        self, token: Ids, states: States, ids: tuple[int, ...], text: Any, choice: Choice | None, place: Place
    ) -> _Step:
        logits, after = self._network.logits(self._work, token, None, states)
        with self._pattern.place():
            allowed = self._next.allowed(text, ids[-1] if ids else None) & self._rules.mask(place)
            met = self._pattern.is_met(text)
        return _Step(ids, text, choice, logits[:, 0].copy(), allowed, met, place, after)

    def _drawn(self, steps: list[_Step]) -> Drawn:
        last = steps[-1]
        ended = last.place.ended or (LENGTH if len(last.ids) == self._config.length else MATCH)
        if last.ids and last.ids[-1] in self._config.stop:
            ended = EOS
        details = None
        if self._config.details:
            columns = [step.choice.kept()[1:] for step in steps if step.choice is not None]
            empty = [np.zeros(0), np.zeros(0), np.zeros((0, 0), np.int64), np.zeros((0, 0))]
            details = Details(*([np.stack(c)[..., 0] for c in zip(*columns, strict=True)] if columns else empty))
        return Drawn(np.array(last.ids, np.int64), ended, details)


def _luby(place: int) -> int:
    """The sequence 1, 1, 2, 1, 1, 2, 4, ... at a place, from 1."""
    bits = place.bit_length()
    return 1 << (bits - 1) if place == (1 << bits) - 1 else _luby(place - (1 << (bits - 1)) + 1)
