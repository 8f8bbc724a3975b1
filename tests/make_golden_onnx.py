"""Write `tests/golden/onnx-*.safetensors`: recurrent layers as ONNX Runtime computes them, in float32.

The tests read the files and need no ONNX. They were made, and with the same versions on the same kind of machine
can be made again, by

    pip install -e '.[parity]'
    python tests/make_golden_onnx.py

Each is one operator of ONNX, `RNN`, `GRU` or `LSTM`, on its own. They compute what PyTorch has no module for: a
GRU that resets before the product (`linear_before_reset` 0) and an LSTM with peepholes (its input `P`). Every
weight, bias, input and initial state is a seeded normal number. Each file holds, in charlm's names and shapes,

    parameters.<name>   x [T, B, X]   initial.hidden|cell [H, B]   outputs [T, B, H]   final.hidden|cell [H, B]

and as metadata `cell`, `layers`, the cell's options, and the versions `onnx` and `onnxruntime`.

ONNX's tensors become charlm's so: `W` is W_gx and `R` W_ga, the gates one above the other, and `P` p_g; `B` is two
biases one after the other, which add up to b_g, except in the candidate of a GRU that resets after the product,
where the one beside R, inside the reset, is b_ca; the GRU's z is 1 - u, so W_u = -W_z and b_u = -b_z.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from reference import GOLDEN, Array, Network, Parameters, cell_shapes, to_bytes

if TYPE_CHECKING:
    from pathlib import Path

SCALE = 0.5
OPSET, IR_VERSION = 22, 10


class Sizes(NamedTuple):
    """Of a layer, its window, and its weights; those of the stored files."""

    input_size: int = 4
    hidden: int = 5
    time: int = 6
    batch: int = 3
    scale: float = SCALE


# charlm's name of each of ONNX's gates in ONNX's order, and the sign it changes by.
ONNX_GATES = {
    "rnn": (("a", 1),),
    "gru": (("u", -1), ("r", 1), ("c", 1)),
    "lstm": (("u", 1), ("o", 1), ("f", 1), ("c", 1)),
}
PEEPHOLES = "uof"  # those of the LSTM, in ONNX's order
# The file's name, the network, the operator and its attributes.
RUNS: tuple[tuple[str, Network, str, dict[str, Any]], ...] = (
    ("rnn-tanh", Network("rnn", options={"activation": "tanh"}), "RNN", {"activations": ["Tanh"]}),
    ("rnn-relu", Network("rnn", options={"activation": "relu"}), "RNN", {"activations": ["Relu"]}),
    ("gru-before", Network("gru", options={"reset": "before"}), "GRU", {"linear_before_reset": 0}),
    ("gru-after", Network("gru", options={"reset": "after"}), "GRU", {"linear_before_reset": 1}),
    ("lstm", Network("lstm"), "LSTM", {}),
    ("peephole-lstm", Network("peephole-lstm", options={"peephole": "standard"}), "LSTM", {}),
)


def to_charlm(network: Network, W: Array, R: Array, B: Array, P: Array | None) -> Parameters:
    """The operator's tensors by charlm's names."""
    named = {}
    gates = ONNX_GATES["lstm" if P is not None else network.cell]
    bias_x, bias_a = np.split(B[0], 2)
    hidden = R.shape[2]
    for index, (gate, sign) in enumerate(gates):
        rows = slice(index * hidden, (index + 1) * hidden)
        named[f"W_{gate}x"] = sign * W[0, rows]
        named[f"W_{gate}a"] = sign * R[0, rows]
        if gate == "c" and network.options.get("reset") == "after":
            named["b_c"] = bias_x[rows]
            named["b_ca"] = bias_a[rows]
        else:
            named[f"b_{gate}"] = sign * (bias_x[rows] + bias_a[rows])
    if P is not None:
        named |= {f"p_{gate}": p for gate, p in zip(PEEPHOLES, np.split(P[0], len(PEEPHOLES)), strict=True)}
    return named


def run_operator(operator: str, attributes: dict[str, Any], feeds: dict[str, Array]) -> list[Array]:
    """Y, Y_h and an LSTM's Y_c of one operator in a graph of its own, its inputs named as ONNX's text names them."""
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    inputs = [name if name in feeds else "" for name in order]
    while not inputs[-1]:
        inputs.pop()  # a trailing input is left out, one between others is an empty name
    state = feeds["initial_h"].shape
    outputs = {"Y": (len(feeds["X"]), *state), "Y_h": state} | ({"Y_c": state} if operator == "LSTM" else {})
    node = helper.make_node(operator, inputs, list(outputs), hidden_size=state[2], **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape) for name, array in feeds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(list(outputs), feeds)]


def make(
    network: Network, operator: str, attributes: dict[str, Any], rng: np.random.Generator, sizes: Sizes
) -> Parameters:
    """One operator run by ONNX Runtime: the tensors of one file."""
    input_size, hidden, time, batch, weight_scale = sizes

    def normal(*shape: int, scale: float = weight_scale) -> Array:
        return np.asarray(scale * rng.standard_normal(shape), dtype=np.float32)

    rows = len(ONNX_GATES[operator.lower()]) * hidden
    feeds = {
        "X": normal(time, batch, input_size, scale=1.0),
        "W": normal(1, rows, input_size),
        "R": normal(1, rows, hidden),
        "B": normal(1, 2 * rows),
        "initial_h": normal(1, batch, hidden),
    }
    if operator == "LSTM":
        feeds["initial_c"] = normal(1, batch, hidden)
    if network.cell == "peephole-lstm":
        feeds["P"] = normal(1, len(PEEPHOLES) * hidden)
    Y, *final = run_operator(operator, attributes, feeds)

    parameters = to_charlm(network, feeds["W"], feeds["R"], feeds["B"], feeds.get("P"))
    initial = [feeds[name] for name in ("initial_h", "initial_c") if name in feeds]
    tensors = {
        **{f"parameters.{name}": parameters[name] for name in cell_shapes(network, inputs=input_size, hidden=hidden)},
        **{f"initial.{part}": value[0].T for part, value in zip(network.parts, initial, strict=True)},
        **{f"final.{part}": value[0].T for part, value in zip(network.parts, final, strict=True)},
        "x": feeds["X"],
        "outputs": Y[:, 0],
    }
    return {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}


def write(path: Path, network: Network, tensors: Parameters) -> None:
    """One file with its metadata."""
    metadata = {
        "cell": network.cell,
        "layers": str(network.layers),
        **network.options,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    path.write_bytes(to_bytes(tensors, metadata))


def main(folder: Path = GOLDEN) -> None:
    """Write every file."""
    folder.mkdir(exist_ok=True)
    for number, (name, network, operator, attributes) in enumerate(RUNS):
        tensors = make(network, operator, attributes, np.random.default_rng([100, number]), Sizes())
        write(folder / f"onnx-{name}.safetensors", network, tensors)


if __name__ == "__main__":
    main()
