"""How much arithmetic a training step is said to need."""

from itertools import pairwise

import pytest

from charlm.arithmetic import training_flops
from charlm.config import ModelConfig
from charlm.nn.stack import Stack

T, B = 64, 32


def test_every_matrix_of_an_lstm_counts_as_three_products() -> None:
    """Four gates a layer, the head; a product of a matrix with a column is two operations a weight."""
    V, E, H = 65, 48, 256
    gates = 4 * H
    per_column = gates * H + gates * (H + H) + V * H
    config = ModelConfig(vocabulary=V, layers=2, hidden=H, embedding=E)
    assert training_flops(config, T, B) == 2 * 3 * (T * B * per_column + V * gates * E)


def test_a_token_that_comes_again_needs_no_other_product() -> None:
    """The first layer's inputs are as many as there are tokens, or as there are columns if these are fewer."""
    E, H = 32, 16

    def of_input(vocabulary: int) -> int:
        config = ModelConfig(vocabulary=vocabulary, hidden=H, embedding=E)
        return training_flops(config, T, B) - 6 * T * B * (4 * H * H + vocabulary * H)

    assert of_input(100) == 6 * 100 * 4 * H * E
    assert of_input(T * B) == of_input(50_000) == 6 * T * B * 4 * H * E


def test_how_the_engine_reads_tokens_changes_nothing() -> None:
    """From one size of vocabulary to the next the engine stops folding; the count goes on as it was."""
    configs = [ModelConfig(vocabulary=V, hidden=16, embedding=8) for V in (127, 128, 129, 130)]
    assert {Stack(config).folded for config in configs} == {True, False}
    counts = [training_flops(config, T, B) for config in configs]
    assert len({after - before for before, after in pairwise(counts)}) == 1


@pytest.mark.parametrize(
    ("cell", "recurrent", "of_input"),
    [("rnn", 1, 1), ("gru", 3, 3), ("peephole-lstm", 4, 4), ("coupled-lstm", 3, 3), ("mingru", 0, 2)],
)
def test_blocks_count_their_own_matrices(cell: str, recurrent: int, of_input: int) -> None:
    """As many gates as there are, recurrent or not; vectors are no matrices."""
    V, E, H = 10, 5, 7
    config = ModelConfig(vocabulary=V, cell=cell, hidden=H, embedding=E)
    assert training_flops(config, T, B) == 6 * (T * B * (recurrent * H * H + V * H) + V * of_input * H * E)


def test_twice_the_batch_is_twice_the_work_but_for_the_table() -> None:
    config = ModelConfig(vocabulary=65, hidden=32, embedding=16)
    table = 6 * 65 * 4 * 32 * 16
    assert training_flops(config, T, 2 * B) - table == 2 * (training_flops(config, T, B) - table)
