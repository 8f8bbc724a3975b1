"""What single units of a model do while it reads: their values at every token, and which of them follow a property.

After Karpathy, Johnson and Fei-Fei (2015), "Visualizing and Understanding Recurrent Networks". Units are chosen on the
first half of a text, and correlations are told of the second, which had no part in the choice: the best of many units
would look better on the first half than it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charlm.colours import Scale
from charlm.config import require
from charlm.correlations import RunningCorrelation, rank_correlations
from charlm.errors import NOT_FINITE, InputError, ModelError, UsageError
from charlm.heatmap import MOST_TOKENS, Page, Token
from charlm.lanes import Lanes, Piece, line_bounds
from charlm.nn.arrays import Array, Ids, States
from charlm.nn.language_model import LanguageModel, Workspace

PARTS = ("hidden", "cell")
LANES = 64
WINDOW = 32
"""Tokens of each lane that are handed on together."""
WARM = 256
"""Tokens that a lane reads before those that count, where it begins within a text."""
MINIMUM_PART = 1024
"""Tokens that are worth a lane of their own."""
MOST_NUMBERS = 1 << 25
"""Values kept at a time where ranks are needed: 128 MB. Longer texts are read as far as that goes."""


@dataclass(frozen=True)
class Unit:
    """A unit that was chosen, by its layer and its number in it, both from 1.

    Attributes:
        layer: from the bottom.
        number: in the layer.
        first: correlation on the half of the text by which it was chosen.
        second: correlation on the other half.
    """

    layer: int
    number: int
    first: float
    second: float

    @property
    def name(self) -> str:
        """Such as 1.37."""
        return f"{self.layer}.{self.number}"


@dataclass(frozen=True)
class Found:
    """The units that follow a property best.

    Attributes:
        units: best first, by the first half.
        tokens: how many each half has.
        shares: of a flag, the share of the tokens of each half that have it; otherwise the means.
        ranked: whether the correlations are Spearman's, rather than point-biserial.
    """

    units: tuple[Unit, ...]
    tokens: tuple[int, int]
    shares: tuple[float, float]
    ranked: bool


def check_part(model: LanguageModel, part: str) -> None:
    """Check that the units of a model have such a part.

    Raises:
        UsageError: there is no such part, or these blocks do not have it.
    """
    if part not in PARTS:
        raise UsageError(f"--what is {part}: choose from {', '.join(PARTS)}")
    if part == "cell" and "cell" not in model.stack.blocks[0].state_names:
        raise UsageError(f"--what cell: the units of {model.config.cell} have no cell, only --what hidden")


def read_unit(model: LanguageModel, name: str) -> tuple[int, int]:
    """Layer and number, from 0, of a unit named such as 1.37.

    Raises:
        UsageError: it is no such name, or there is no such unit.
    """
    layers, hidden = model.config.layers, model.config.hidden
    layer, dot, number = name.partition(".")
    digits = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (layer, number))  # noqa: PLR2004
    if not (dot and digits and 1 <= int(layer) <= layers and 1 <= int(number) <= hidden):
        raise UsageError(
            f"--unit is {name[:40]!r}: name a layer from 1 to {layers} and a unit from 1 to {hidden}, "
            f"such as {layers}.{hidden}"
        )
    return int(layer) - 1, int(number) - 1


def activations(model: LanguageModel, ids: Ids, *, line_end: int | None, part: str = "hidden") -> NDArray[np.float32]:
    """Every unit's value when it has read each token, [layers, N, H].

    Args:
        model: whose units.
        ids: [N], a text read from its start in one lane, or in lines that each are.
        line_end: where lines are independent, the id that ends one. That is never read, and its values are 0.
        part: "hidden", the activation a, or "cell", the cell c.

    Raises:
        UsageError: the units have no such part.
        ModelError: a value is not finite.
    """
    check_part(model, part)
    values = np.zeros((model.config.layers, len(ids), model.config.hidden), np.float32)
    # A stream is one text, whose only lane is never warmed up but begins where it does.
    lanes = 1 if line_end is None else LANES
    for places, block in _read(model, ids, line_end=line_end, part=part, lanes=lanes):
        values[:, places] = block
    return values


def find_units(
    model: LanguageModel,
    ids: Ids,
    wanted: NDArray[np.float64],
    *,
    line_end: int | None,
    ranked: bool = False,
    part: str = "hidden",
    best: int = 10,
) -> Found:
    """The units whose values follow a property of the tokens best.

    Args:
        model: whose units.
        ids: [N], a text; where it is long, it is read in several lanes, each warmed up.
        wanted: [N], the property at each token.
        line_end: as for ``activations``; ends of lines that are not read count nowhere.
        ranked: whether only the order of the property's values matters: Spearman's correlation instead of Pearson's,
            which is the point-biserial one where the property is 0 or 1.
        part: as for ``activations``.
        best: how many units to give.

    Raises:
        UsageError: the units have no such part, or ``best`` is below 1.
        InputError: a half of the text is empty, or has only one value of the property.
        ModelError: a value is not finite.
    """
    require("--best", best, minimum=1)
    check_part(model, part)
    if ranked:
        room = 2 * max(1, MOST_NUMBERS // (model.config.layers * model.config.hidden))
        ids, wanted = ids[:room], wanted[:room]
    middle = len(ids) // 2
    found = [
        _correlations(model, ids, wanted, span, line_end=line_end, ranked=ranked, part=part)
        for span in ((0, middle), (middle, len(ids)))
    ]
    (first, *_), (second, *_) = found
    order = np.argsort(-np.abs(first), kind="stable")[:best].tolist()
    hidden = model.config.hidden
    units = tuple(Unit(k // hidden + 1, k % hidden + 1, float(first[k]), float(second[k])) for k in order)
    (_, n, share), (_, other_n, other_share) = found
    return Found(units, (n, other_n), (share, other_share), ranked)


def _correlations(
    model: LanguageModel,
    ids: Ids,
    wanted: NDArray[np.float64],
    span: tuple[int, int],
    *,
    line_end: int | None,
    ranked: bool,
    part: str,
) -> tuple[NDArray[np.float64], int, float]:
    """Correlations [layers * H] over the tokens of a span, how many were read, and the mean of the property there."""
    columns = model.config.layers * model.config.hidden
    running = RunningCorrelation(columns)
    kept = np.empty((span[1] - span[0] if ranked else 0, columns), np.float32)
    beside = np.empty(len(kept))
    for places, block in _read(model, ids, line_end=line_end, part=part, span=span):
        rows, here, before = np.moveaxis(block, 0, 1).reshape(len(places), columns), wanted[places], running.rows
        running.add(rows, here)
        if ranked:
            kept[before : running.rows], beside[before : running.rows] = rows, here
    if not running.varies:
        half = "second" if span[0] else "first"
        raise InputError(
            f"the {half} half of the text has the property nowhere, or everywhere, so nothing can follow it: "
            "give a longer text, or look for another property"
        )
    read = running.rows
    correlations = rank_correlations(kept[:read], beside[:read]) if ranked else running.result()
    return correlations, read, running.other_mean


def _read(
    model: LanguageModel,
    ids: Ids,
    *,
    line_end: int | None,
    part: str,
    span: tuple[int, int] | None = None,
    lanes: int = LANES,
) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Places [n] of tokens, and every unit's value when it has read them, [layers, n, H].

    A step reads the token before the one that it predicts, so one more step than tokens is run. Steps are run one at
    a time: what a block returns is its state, whatever it leaves on its tape.
    """
    begin, end = (0, len(ids)) if span is None else span
    if begin == end:
        return
    # Something must follow the last token for it to be read.
    padded = np.append(ids[:end].astype(np.int64), 0)
    pieces = list(_pieces(padded, begin, end, line_end, lanes))
    dealt = Lanes(iter(pieces), min(lanes, len(pieces)))
    width = dealt.position.size
    states, work = model.initial_states(width), model.new_workspace(1, width, keep=False)
    while (window := dealt.next_window(WINDOW)) is not None:
        inputs, values = window.inputs(padded), []
        for t in range(len(inputs)):
            states = model.advance(work, inputs[t : t + 1], window.starts[t : t + 1], states)
            values.append(np.stack([_values(model, work, states, k, part) for k in range(model.config.layers)]))
        read = window.counted & ~window.starts & (window.positions > begin)
        block = np.stack(values).transpose(1, 0, 3, 2)[:, read]  # [layers, T, B, H] -> [layers, n, H]
        if not np.isfinite(block).all():
            raise ModelError(NOT_FINITE)
        yield window.positions[read] - 1, block


def _pieces(padded: Ids, begin: int, end: int, line_end: int | None, lanes: int) -> Iterator[Piece]:
    """Pieces of ids that have one more at their end; predictions of the tokens behind those of the span are counted."""
    if line_end is not None:
        bounds = line_bounds(padded[:-1], line_end)
        for first, last in pairwise(bounds.tolist()):
            # An unfinished line is read to its last token; the end of a line is predicted, and not read.
            if last > begin:
                yield Piece(first, last + int(padded[last - 1] != line_end), max(first, begin))
        return
    number = max(1, min(lanes, (end - begin) // MINIMUM_PART))
    cuts = [begin + 1 + (end - begin) * lane // number for lane in range(number + 1)]
    for first, last in pairwise(cuts):
        # One lane alone reads from the text's start, so that what is shown of a short text is exact.
        yield Piece(0 if number == 1 else max(0, first - WARM), last, first)


def _values(model: LanguageModel, work: Workspace, states: States, k: int, part: str) -> Array:
    """The values [H, B] of layer k after a single step."""
    stack, tape = model.stack, work.tape
    names = stack.blocks[k].state_names
    if part in names:
        return states[k][names.index(part)]
    # A block that carries only a cell, such as the SRU: its activation is what it puts out.
    output = tape.activations[0] if k + 1 == len(stack.blocks) else tape.layers[k + 1].x[0]
    values: Array = output - tape.layers[k].x[0] if stack.is_residual(k) else output.copy()
    return values


def unit_tokens(pieces: Sequence[str], names: Sequence[str], values: NDArray[np.float32], part: str) -> list[Token]:
    """Tokens coloured by a unit: by its activation, or by the tanh of its cell, which is what others see of it.

    Args:
        pieces: what stands in the text for each.
        names: what each is called.
        values: [N], of the unit; the figure that is told.
        part: "hidden" or "cell", which they are of.
    """
    rows = zip(pieces, names, _coloured(values, part).tolist(), values.tolist(), strict=True)
    return [Token(piece, colour, name, (value,), end=name == "<EOS>") for piece, name, colour, value in rows]


def unit_scale(values: NDArray[np.float32], part: str) -> Scale:
    """Colours of a unit's values [N]: from -1 to 1, or as far as they go where they go beyond."""
    most = max(1.0, float(np.abs(_coloured(values, part)).max(initial=0)))
    return Scale("tanh of the cell" if part == "cell" else "activation", -most, most, 20, signed=True)


def _coloured(values: NDArray[np.float32], part: str) -> NDArray[np.float32]:
    return np.tanh(values) if part == "cell" else values


def unit_page(tokens: Sequence[Token], scale: Scale, *, title: str, about: Sequence[str]) -> Page:
    """A page of a text coloured by one unit, as much of it as there is room for."""
    shown = tokens[:MOST_TOKENS]
    left_out = "" if len(shown) == len(tokens) else f"Only the first {len(shown):,} of {len(tokens):,} tokens."
    return Page(title, about, scale, ("value of the unit",), [shown], left_out=left_out)
