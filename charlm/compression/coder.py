"""Arithmetic coding: a row of symbols as one number, in as many bits as their probabilities ask for.

The number lies in an interval that begins as [0, 1) and becomes, with each symbol, the part of itself that is the
symbol's by its frequency (Witten, Neal & Cleary 1987). It is kept in whole numbers, ``low`` and ``range``, whose bytes
are shifted out as they settle (Martin 1979); a carry may still run through those that are held back, one that is not
255 and all the 255s behind it, of which only the number is kept.

An encoder and a decoder have one method of one form, so that what codes a value stands once for both ways:
``coder.code(cumulative, symbol)`` codes the symbol, or finds it where None is given.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from charlm.errors import NOT_FINITE, ModelError

Cumulative = NDArray[np.int64]
"""[symbols + 1]: 0, then how often each symbol and those before it occur; the last is the total, at most `TOTAL`."""

TOTAL = 1 << 32
"""Of the frequencies that are made of probabilities: each is exact to 2^-32, and no symbol costs more than 32 bits."""
_BYTES = 7
_TOP = 1 << 8 * _BYTES
"""Above every ``low`` but for a carry."""
_BOTTOM = _TOP >> 8
"""Below every ``range`` that a symbol is coded in: 2^16 totals, so that what division leaves over costs nothing."""
_BYTE = 0xFF


class DecodingError(Exception):
    """What is decoded was not coded so."""


class Coder(Protocol):
    """What symbols go through."""

    def code(self, cumulative: Cumulative, symbol: int | None) -> int:
        """Code a symbol, or find the one that was coded where None is given.

        Raises:
            DecodingError: nothing was coded here with these frequencies.
        """


def cumulative_of(probabilities: NDArray[np.float64]) -> Cumulative:
    """Frequencies of symbols, cumulated, from their probabilities [symbols]; none is below 1 of `TOTAL`.

    Raises:
        ModelError: the probabilities are not finite.
    """
    if not np.isfinite(probabilities.sum()):
        raise ModelError(NOT_FINITE)
    cumulative = np.zeros(len(probabilities) + 1, np.int64)
    frequencies = cumulative[1:]
    frequencies[:] = probabilities * (TOTAL - len(probabilities))
    frequencies += 1
    # What rounding leaves over, hardly more than one each, is the likeliest symbol's.
    frequencies[probabilities.argmax()] += TOTAL - frequencies.sum()
    np.cumsum(frequencies, out=frequencies)
    return cumulative


class Encoder:
    """Turns symbols into bytes."""

    def __init__(self) -> None:
        self._low, self._range = 0, _TOP
        self._settled = bytearray()
        self._held: int | None = None  # a byte that a carry may still change
        self._full = 0  # bytes of 255 behind it

    def code(self, cumulative: Cumulative, symbol: int | None) -> int:
        """Code a symbol that has a frequency."""
        assert symbol is not None  # noqa: S101 - only a decoder finds it
        share = self._range // int(cumulative[-1])
        begin = int(cumulative[symbol])
        self._low += begin * share
        self._range = (int(cumulative[symbol + 1]) - begin) * share
        while self._range < _BOTTOM:
            self._range <<= 8
            self._shift()
        return symbol

    def take(self) -> bytes:
        """The bytes that have settled since they were last taken."""
        taken = bytes(self._settled)
        self._settled.clear()
        return taken

    def finish(self) -> bytes:
        """The last bytes: those of the number in the interval that ends in the most zeros, which are left out."""
        last = self._low + self._range - 1
        zeros = next(bits for bits in range(8 * _BYTES, -1, -1) if last >> bits << bits >= self._low)
        self._low = last >> zeros << zeros
        for _ in range(_BYTES):
            self._shift()
        self._settle(0)
        for _ in range(_BYTES):
            if self._settled[-1:] != b"\0":
                break
            del self._settled[-1]
        return self.take()

    def _shift(self) -> None:
        byte = self._low // _BOTTOM
        if byte != _BYTE:
            self._settle(byte >> 8)
            self._held = byte & _BYTE
        else:
            self._full += 1
        self._low = self._low % _BOTTOM << 8

    def _settle(self, carry: int) -> None:
        if self._held is not None:
            self._settled.append(self._held + carry)
        self._settled += bytes([_BYTE + carry & _BYTE]) * self._full
        self._held, self._full = None, 0


class Decoder:
    """Finds the symbols that an encoder's bytes stand for.

    Args:
        read: the next byte, None at the end.
    """

    def __init__(self, read: Callable[[], int | None]) -> None:
        self._read = read
        self._range = _TOP
        self._missing = 0
        self._value = 0  # of the number, above the interval's beginning
        for _ in range(_BYTES):
            self._shift()

    def code(self, cumulative: Cumulative, symbol: int | None) -> int:  # noqa: ARG002 - None, for it is to be found
        """The symbol that was coded with these frequencies.

        Raises:
            DecodingError: there was none.
        """
        total = int(cumulative[-1])
        share = self._range // total
        place = self._value // share
        if place >= total:
            raise DecodingError("no symbol was coded here")
        found = int(cumulative.searchsorted(place, side="right")) - 1
        begin = int(cumulative[found])
        self._value -= begin * share
        self._range = (int(cumulative[found + 1]) - begin) * share
        while self._range < _BOTTOM:
            self._range <<= 8
            self._shift()
        return found

    def _shift(self) -> None:
        byte = self._read()
        if byte is None:
            # As many zeros as an encoder leaves out.
            self._missing += 1
            if self._missing > _BYTES:
                raise DecodingError("the bytes end too early")
        self._value = self._value << 8 | (byte or 0)
