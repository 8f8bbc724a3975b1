"""Which of PyTorch's recurrent modules computes a block, and its weights in the one's and the other's form.

A module of PyTorch holds for each layer k the matrices of all gates one below the other, in an order of its own:
``weight_ih_l<k>`` [G * H, X] on the input and ``weight_hh_l<k>`` [G * H, H] on the state, and two biases,
``bias_ih_l<k>`` and ``bias_hh_l<k>`` [G * H], of which only the sum matters, but for the candidate of the GRU. The
equations are those of the documentation of torch.nn.LSTM, GRU and RNN.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from charlm.config import ModelConfig
from charlm.errors import ModelError
from charlm.nn.arrays import Array, Views
from charlm.nn.fitting import kind_name
from charlm.nn.registry import block_options


@dataclass(frozen=True)
class Gate:
    """One gate of a module of PyTorch.

    Attributes:
        name: what PyTorch's documentation calls it.
        source: the gate of charlm whose weights it has.
        sign: -1 where it is 1 minus that gate: s(-z) = 1 - s(z), so all its weights change their signs.
        recurrent_bias: the parameter of charlm that is its bias on the state; "" where there is but one bias.
    """

    name: str
    source: str
    sign: int = 1
    recurrent_bias: str = ""


@dataclass(frozen=True)
class Conversion:
    """How a module of PyTorch computes a block.

    Attributes:
        module: its class in torch.nn.
        gates: in PyTorch's order.
        arguments: what its constructor is told besides the sizes, as Python writes it.
        untied: what to say where gates that share their weights here no longer do so there.
    """

    module: str
    gates: tuple[Gate, ...]
    arguments: str = ""
    untied: str = ""


_NO_PEEPHOLES = "nn.LSTM has no peepholes"
_NO_NORM = "neither nn.LSTM nor nn.GRU normalises its layers"

KINDS: Mapping[str, Conversion | str] = {
    "lstm": Conversion("LSTM", (Gate("i", "u"), Gate("f", "f"), Gate("g", "c"), Gate("o", "o"))),
    "coupled-lstm": Conversion(
        "LSTM",
        (Gate("i", "u"), Gate("f", "u", -1), Gate("g", "c"), Gate("o", "o")),
        untied="its forget gate f is no longer 1 - i, which makes it a plain LSTM: import it with --like MODEL, "
        "a model of --cell lstm with the same sizes and vocabulary",
    ),
    "gru with reset after": Conversion(
        "GRU", (Gate("r", "r"), Gate("z", "u", -1), Gate("n", "c", recurrent_bias="b_ca"))
    ),
    "rnn with activation tanh": Conversion("RNN", (Gate("h", "a"),), ', nonlinearity="tanh"'),
    "rnn with activation relu": Conversion("RNN", (Gate("h", "a"),), ', nonlinearity="relu"'),
    "gru with reset before": "nn.GRU resets after the product, as charlm train --cell gru --reset after does",
    "peephole-lstm with peephole standard": _NO_PEEPHOLES,
    "peephole-lstm with peephole previous": _NO_PEEPHOLES,
    "norm-lstm": _NO_NORM,
    "norm-gru": _NO_NORM,
    "sru": "its gates see the cell, and its input goes past the cell, which no module of PyTorch has",
    "mingru": "its candidate is linear, that of nn.GRU a tanh",
}
"""Every kind of block: how PyTorch computes it, or why it does not."""


def conversion_of(config: ModelConfig) -> Conversion:
    """The conversion of a model.

    Raises:
        ModelError: no module of PyTorch computes it; the message says why.
    """
    kind = kind_name(config.cell, block_options(config.cell, config.options))
    found = KINDS.get(kind, "charlm has no conversion for this cell")
    if isinstance(found, Conversion) and config.residual and config.layers > 1:
        found = "the layers of PyTorch's modules have no residual connections"
    if isinstance(found, str):
        raise ModelError(f"no module of PyTorch computes a model of {kind}: {found}. charlm export --to onnx takes all")
    return found


def tensor_names(layer: int) -> tuple[str, str, str, str]:
    """Names of a layer's input and recurrent matrix and of its input and recurrent bias."""
    return f"weight_ih_l{layer}", f"weight_hh_l{layer}", f"bias_ih_l{layer}", f"bias_hh_l{layer}"


def to_module(conversion: Conversion, views: Views, layer: int) -> dict[str, Array]:
    """The tensors of one layer as PyTorch has them, from the block's parameters."""
    hidden = len(views[f"b_{conversion.gates[0].source}"])
    columns: tuple[list[Array], ...] = ([], [], [], [])
    for gate in conversion.gates:
        nothing = np.zeros(hidden, np.float32)
        columns[0].append(gate.sign * views[f"W_{gate.source}x"])
        columns[1].append(gate.sign * views[f"W_{gate.source}a"])
        columns[2].append(gate.sign * views[f"b_{gate.source}"])
        columns[3].append(gate.sign * views[gate.recurrent_bias] if gate.recurrent_bias else nothing)
    return {name: np.concatenate(rows) for name, rows in zip(tensor_names(layer), columns, strict=True)}


def from_module(conversion: Conversion, tensors: Views, layer: int) -> dict[str, Array]:
    """A block's parameters, from the tensors of one layer as PyTorch has them.

    Raises:
        ModelError: gates that have the same weights in charlm have not.
    """
    rows = (np.split(tensors[name], len(conversion.gates)) for name in tensor_names(layer))
    found: dict[str, Array] = {}
    for gate, driven, recurrent, bias, recurrent_bias in zip(conversion.gates, *rows, strict=True):
        weights = {f"W_{gate.source}x": driven, f"W_{gate.source}a": recurrent}
        if gate.recurrent_bias:
            weights |= {f"b_{gate.source}": bias, gate.recurrent_bias: recurrent_bias}
        else:
            # Where there is nothing to add, not even the sign of a zero changes.
            weights[f"b_{gate.source}"] = np.where(recurrent_bias == 0, bias, bias + recurrent_bias)
        for name, value in weights.items():
            if not np.array_equal(found.setdefault(name, gate.sign * value), gate.sign * value):
                raise ModelError(f"in layer {layer} of the nn.{conversion.module}, {conversion.untied}")
    return found
