"""The arithmetic coder by itself: symbols come back, in as many bits as their frequencies ask for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.compression.coder import TOTAL, Cumulative, Decoder, DecodingError, Encoder, cumulative_of
from charlm.errors import ModelError

Step = tuple[list[int], int]
"""Frequencies of symbols, and which of them comes; its frequency is not 0."""

EXTREMES = st.one_of(st.integers(0, 5), st.integers(1, 1 << 20), st.just(1), st.just((1 << 28) - 9))


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    found = []
    for frequencies in draw(st.lists(st.lists(EXTREMES, min_size=1, max_size=8), max_size=60)):
        possible = [symbol for symbol, each in enumerate(frequencies) if each]
        if possible:
            found.append((frequencies, draw(st.sampled_from(possible))))
    return found


def cumulated(frequencies: list[int]) -> Cumulative:
    return np.concatenate(([0], np.cumsum(frequencies))).astype(np.int64)


def encoded(coded: list[Step], *, taking: bool = False) -> bytes:
    encoder, parts = Encoder(), []
    for frequencies, symbol in coded:
        assert encoder.code(cumulated(frequencies), symbol) == symbol
        if taking:
            parts.append(encoder.take())
    return b"".join([*parts, encoder.finish()])


def decoded(data: bytes, coded: list[Step]) -> list[int]:
    left = iter(data)
    decoder = Decoder(lambda: next(left, None))
    return [decoder.code(cumulated(frequencies), None) for frequencies, _ in coded]


@settings(max_examples=300, deadline=None)
@given(steps())
def test_symbols_come_back_whatever_their_frequencies(coded: list[Step]) -> None:
    symbols = [symbol for _, symbol in coded]
    assert decoded(encoded(coded), coded) == symbols
    taken = encoded(coded, taking=True)
    assert decoded(taken, coded) == symbols


@settings(max_examples=100, deadline=None)
@given(steps())
def test_it_takes_the_bits_that_the_frequencies_ask_for(coded: list[Step]) -> None:
    bits = sum(math.log2(sum(frequencies) / frequencies[symbol]) for frequencies, symbol in coded)
    assert len(encoded(coded)) <= bits * 1.001 / 8 + 2


@pytest.mark.parametrize("symbol", [0, 2])
def test_a_carry_runs_through_bytes_that_are_held_back(symbol: int) -> None:
    """Just below the middle the first bytes are 127 and many 255s, until something tips it over, or does not."""
    half = (1 << 24) - 1
    coded: list[Step] = [([half, 2, half], 1)] + [([half, 2, half], 1)] * 40 + [([half, 2, half], symbol)] * 3
    assert decoded(encoded(coded), coded) == [each for _, each in coded]


def test_many_sure_symbols_take_no_byte() -> None:
    coded: list[Step] = [([0, 7, 0], 1)] * 1000
    assert encoded(coded) == b""
    assert decoded(b"", coded) == [1] * 1000


def test_bytes_settle_as_they_are_coded() -> None:
    encoder, waiting = Encoder(), 0
    source = np.random.default_rng(1)
    for _ in range(2000):
        encoder.code(cumulated([1] * 256), int(source.integers(256)))
        waiting = 0 if encoder.take() else waiting + 1
        assert waiting < 8


def test_a_decoder_ends_where_the_bytes_do() -> None:
    half: Step = ([1, 1], 0)
    with pytest.raises(DecodingError):
        decoded(b"", [half] * 1000)


def test_what_no_frequencies_gave_is_noticed() -> None:
    """The number is kept below its interval; what lies above was never coded."""
    with pytest.raises(DecodingError):
        decoded(b"\xff" * 100, [([3, 4], 1)] * 1000)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-800, 30), min_size=1, max_size=300))
def test_frequencies_of_probabilities(logits: list[float]) -> None:
    values = np.array(logits)
    probabilities = np.exp(values - np.logaddexp.reduce(values))
    cumulative = cumulative_of(probabilities)
    frequencies = np.diff(cumulative)
    assert cumulative[0] == 0
    assert cumulative[-1] == TOTAL
    assert frequencies.min() >= 1
    # What rounding and the least frequency cost.
    cost = probabilities @ (np.log2(np.maximum(probabilities, 1e-300)) - np.log2(frequencies / TOTAL))
    assert cost < 1e-6


def test_quantising_a_large_vocabulary_costs_next_to_nothing() -> None:
    source = np.random.default_rng(3)
    probabilities = source.dirichlet(np.full(100_000, 0.05))
    frequencies = np.diff(cumulative_of(probabilities))
    entropy = -(probabilities @ np.log2(np.maximum(probabilities, 1e-300)))
    assert frequencies.min() >= 1
    assert -(probabilities @ np.log2(frequencies / TOTAL)) < entropy * 1.0005


def test_probabilities_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ModelError, match="not finite"):
        cumulative_of(np.array([0.5, np.nan]))
