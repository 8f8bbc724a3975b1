"""Which tokens can lead to a match of a regular expression, asked of the expression itself.

``regex`` can tell of a text whether something behind it could make it match. A token may follow a text if that holds
of the two together, and no other token may. Nothing is drawn and thrown away.
"""

from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charlm.errors import SearchError, UsageError
from charlm.matching.limits import SECONDS, Allowance, TooSlow
from charlm.matching.shortest import shortest_match
from charlm.nn.arrays import Flags
from charlm.text.level import to_utf8
from charlm.text.tokenizer import Tokenizer

MOST_KEPT = 4096
"""Texts whose next tokens are kept: many samples begin alike."""


class Pattern:
    """A regular expression that whole texts are to match.

    Args:
        source: as the package ``regex`` has them, Unicode-aware.
        raw: whether texts are bytes, as they are at the byte level: then so is the pattern, in UTF-8.
        seconds: that it may take for a sample.

    Attributes:
        source: likewise.
        shortest: characters, or bytes, that every match has at least; 0 where that is not known.

    Raises:
        UsageError: it is none, or the time is out of its range.
    """

    def __init__(self, source: str, *, raw: bool = False, seconds: float = SECONDS) -> None:
        import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - it brings no types, and only matches need it

        self.source = source
        self._allowance = Allowance(seconds)
        read = to_utf8(source) if raw else source
        try:
            # What comes later in version 1 are sets and nested flags: the expressions of `re` mean what they always do.
            self._pattern: Any = regex.compile(read, regex.VERSION0)
        except regex.error as error:
            raise UsageError(f"--match {source!r} is no regular expression: {error}. Correct it there") from error
        self.shortest = shortest_match(read)

    def new_sample(self) -> None:
        """Have all the time for another sample."""
        self._allowance.renew()

    def place(self) -> AbstractContextManager[None]:
        """Within it all looks are those of one place of a sample, which have a limit together."""
        return self._allowance.place()

    def may_become(self, text: str | bytes) -> bool:
        """Whether a text matches, or would with something behind it.

        Raises:
            SearchError: to find out takes too long.
        """
        return self._looks(text, partial=True)

    def is_met(self, text: str | bytes) -> bool:
        """Whether a text matches as a whole; otherwise as ``may_become``."""
        return self._looks(text, partial=False)

    def _looks(self, text: str | bytes, *, partial: bool) -> bool:
        try:
            return self._pattern.fullmatch(text, partial=partial, timeout=self._allowance.left()) is not None
        except (TimeoutError, TooSlow) as error:
            raise SearchError(
                f"--match {self.source!r} takes {self._allowance.what_ended()}, behind a text of {len(text)} "
                "characters: write it so that a text can match it in one way only, as (a|b)* rather than (a*|b*)*, "
                f"or raise --match-seconds, now {self._allowance}"
            ) from error


class TokenTexts:
    """What each token adds to a text, behind one that asks for a space and behind one that does not.

    Args:
        tokenizer: whose tokens.

    Attributes:
        longest: characters, or bytes, that one of them adds at most.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._raw = tokenizer.level == "byte"
        ids = range(len(tokenizer))
        self.first = [self._text(i, None) for i in ids]
        # At most levels nothing depends on what stands before. Else any token that is no white space tells.
        solid = next((i for i in reversed(ids) if self.first[i].strip()), None)
        self._apart = [self._text(i, solid) for i in ids]
        self._probe = next((i for i in ids if self._apart[i] != self.first[i]), None)
        self.longest = max(map(len, (*self.first, *self._apart)))

    def after(self, before: int | None) -> list[str | bytes]:
        """What every token adds, [V], behind a token; behind none, at a beginning, without the space before it."""
        if before is None or self._probe is None or self._text(self._probe, before) == self.first[self._probe]:
            return self.first
        return self._apart

    @property
    def empty(self) -> str | bytes:
        """A text of nothing."""
        return b"" if self._raw else ""

    def _text(self, token: int, before: int | None) -> str | bytes:
        ids = np.array([token])
        return self._tokenizer.decode_bytes(ids, before) if self._raw else self._tokenizer.decode(ids, before)


class NextTokens:
    """Which tokens lead from a text to a match.

    Args:
        pattern: what is to be matched.
        tokenizer: whose tokens.
        never: ids that are not to be drawn.
    """

    def __init__(self, pattern: Pattern, tokenizer: Tokenizer, never: tuple[int, ...] = ()) -> None:
        self._pattern = pattern
        self._tokens = TokenTexts(tokenizer)
        # Tokens that add nothing would be drawn for ever.
        silent = {i for i, text in enumerate(self._tokens.first) if not text}
        self._never = silent | set(never)
        self._groups: dict[int, dict[str | bytes, list[int]]] = {}
        self._kept: OrderedDict[tuple[str | bytes, bool], Flags] = OrderedDict()

    def text(self, token: int, text: str | bytes, before: int | None) -> Any:
        """A text with a token behind it, ``before`` being the token that it ends with."""
        added: Any = self._tokens.after(before)[token]
        return text + added

    @property
    def empty(self) -> str | bytes:
        """A text of nothing."""
        return self._tokens.empty

    @property
    def longest(self) -> int:
        """Characters, or bytes, that a token adds at most."""
        return self._tokens.longest

    def allowed(self, text: str | bytes, before: int | None) -> Flags:
        """Which tokens may follow a text that ends with the token ``before``, bool [V].

        Raises:
            SearchError: the pattern takes too long.
        """
        added = self._tokens.after(before)
        key = (text, added is self._tokens.first)
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = self._find(text, added)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _find(self, text: Any, added: list[str | bytes]) -> NDArray[np.bool_]:
        found = np.zeros(len(added), np.bool_)
        # Most patterns go on with few characters, and most tokens begin with others: their beginning tells.
        for beginning, members in self._by_beginning(added).items():
            if len(members) > 1 and not self._pattern.may_become(text + beginning):
                continue
            for token in members:
                found[token] = self._pattern.may_become(text + added[token])
        return found

    def _by_beginning(self, added: list[str | bytes]) -> dict[str | bytes, list[int]]:
        """Tokens by the first character that is no space in what they add, with the space before it."""
        groups = self._groups.get(id(added))
        if groups is None:
            groups = self._groups[id(added)] = {}
            for token, text in enumerate(added):
                if token not in self._never:
                    length = len(text) - len(text.lstrip()) + 1
                    groups.setdefault(text[:length], []).append(token)
        return groups
