"""Block name -> block: the only list of blocks. Nothing here needs NumPy until a block is made."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.nn.block import Block


class BlockOption(NamedTuple):
    """An option of a block: its values, the default first, and what it means."""

    values: tuple[str, ...]
    meaning: str


class Entry(NamedTuple):
    """A block in the registry.

    Attributes:
        maker: ``module:name`` of what makes it, given the sizes of its input and of itself, and its options.
        summary: what it is, in a few words.
        options: its options by name.
    """

    maker: str
    summary: str
    options: Mapping[str, BlockOption] = {}


_HERE = "charlm.nn.blocks"
BLOCKS: dict[str, Entry] = {
    "lstm": Entry(f"{_HERE}.lstm:LSTM", "long short-term memory"),
    "gru": Entry(
        f"{_HERE}.gru:gru",
        "gated recurrent unit",
        {"reset": BlockOption(("before", "after"), "GRU: reset gate before or after the product.")},
    ),
    "rnn": Entry(
        f"{_HERE}.rnn:RNN",
        "simple recurrent network",
        {"activation": BlockOption(("tanh", "relu"), "RNN: tanh or relu.")},
    ),
    "peephole-lstm": Entry(
        f"{_HERE}.peephole_lstm:peephole_lstm",
        "LSTM whose gates see the cell",
        {
            "peephole": BlockOption(
                ("standard", "previous"), "Peephole LSTM: the output gate sees the new cell or the previous one."
            )
        },
    ),
    "coupled-lstm": Entry(f"{_HERE}.coupled_lstm:CoupledLSTM", "LSTM that forgets what it updates"),
    "norm-lstm": Entry(f"{_HERE}.norm_lstm:NormLSTM", "layer-normalised LSTM"),
    "norm-gru": Entry(f"{_HERE}.norm_gru:NormGRU", "layer-normalised GRU"),
    "sru": Entry(f"{_HERE}.sru:SRU", "simple recurrent unit"),
    "mingru": Entry(f"{_HERE}.mingru:MinGRU", "minimal GRU"),
}


def known_options() -> dict[str, BlockOption]:
    """Every option of any block by its name."""
    return {name: option for entry in BLOCKS.values() for name, option in entry.options.items()}


def every_kind() -> Iterator[tuple[str, dict[str, str]]]:
    """Every block with every choice of its options."""
    for cell, entry in BLOCKS.items():
        for values in product(*(option.values for option in entry.options.values())):
            yield cell, dict(zip(entry.options, values, strict=True))


def block_options(cell: str, given: Mapping[str, str]) -> dict[str, str]:
    """Every option of a block with its value, defaults filled in.

    Raises:
        UsageError: the block, the option or the value does not exist; the message names those that do.
    """
    if cell not in BLOCKS:
        raise UsageError(f"unknown cell {cell!r}: choose one of {', '.join(BLOCKS)}")
    known = BLOCKS[cell].options
    for option, value in given.items():
        if option not in known:
            owners = [name for name, entry in BLOCKS.items() if option in entry.options]
            if not owners:
                raise UsageError(f"unknown option {option!r} of a cell: there are {', '.join(known_options())}")
            raise UsageError(
                f"{option!r} is an option of {', '.join(owners)}, not of {cell}: leave it out, or choose {owners[0]}"
            )
        if value not in known[option].values:
            raise UsageError(f"unknown {option} {value!r}: choose one of {', '.join(known[option].values)}")
    return {name: given.get(name, option.values[0]) for name, option in known.items()}


def make_block(cell: str, input_size: int, hidden: int, options: Mapping[str, str]) -> "Block":
    """The block called ``cell``.

    Raises:
        UsageError: as ``block_options``.
    """
    chosen = block_options(cell, options)
    module, name = BLOCKS[cell].maker.split(":")
    block: Block = getattr(import_module(module), name)(input_size, hidden, **chosen)
    return block
