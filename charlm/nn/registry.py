"""Block name -> block: the only list of blocks."""

from collections.abc import Callable, Mapping

from charlm.errors import UsageError
from charlm.nn.block import Block
from charlm.nn.gru import GRUAfter, GRUBefore
from charlm.nn.lstm import LSTM
from charlm.nn.rnn import RNN


def _gru(input_size: int, hidden: int, reset: str = "before") -> Block:
    return (GRUBefore if reset == "before" else GRUAfter)(input_size, hidden)


BLOCKS: Mapping[str, tuple[Callable[..., Block], Mapping[str, tuple[str, ...]]]] = {
    "lstm": (LSTM, {}),
    "gru": (_gru, {"reset": ("before", "after")}),
    "rnn": (RNN, {"activation": ("tanh", "relu")}),
}
"""Name -> how to make the block, and its options with their values, the default first."""


def block_options(cell: str, given: Mapping[str, str]) -> dict[str, str]:
    """Every option of a block with its value, defaults filled in.

    Raises:
        UsageError: the block, the option or the value does not exist; the message names those that do.
    """
    if cell not in BLOCKS:
        raise UsageError(f"unknown cell {cell!r}: choose one of {', '.join(BLOCKS)}")
    _, known = BLOCKS[cell]
    for option, value in given.items():
        if option not in known:
            owners = [name for name, (_, options) in BLOCKS.items() if option in options]
            if not owners:
                raise UsageError(f"unknown option {option!r} of a cell")
            raise UsageError(f"{option!r} is an option of {', '.join(owners)}, not of {cell}: leave it out")
        if value not in known[option]:
            raise UsageError(f"unknown {option} {value!r}: choose one of {', '.join(known[option])}")
    return {option: given.get(option, values[0]) for option, values in known.items()}


def make_block(cell: str, input_size: int, hidden: int, options: Mapping[str, str]) -> Block:
    """The block called ``cell``.

    Raises:
        UsageError: as ``block_options``.
    """
    chosen = block_options(cell, options)
    return BLOCKS[cell][0](input_size, hidden, **chosen)
