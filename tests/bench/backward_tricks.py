"""The tricks of the elementwise work on the way back through an LSTM."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.trick import LayerWindow, Pair, Result, Sizes, Trick
from charlm.nn.arrays import Array, State
from charlm.nn.block import Operand
from charlm.nn.blocks.lstm import LSTM, LSTMTape
from charlm.nn.columns import new_steps, write_columns
from charlm.nn.stack import NOWHERE


class WithoutProduct(LSTM):
    """The way back without its product, which is the same with all ways to take slopes."""

    def _gates_back(self, operand: Operand, tape: LSTMTape, t: int, dh: Array, dc: Array) -> None:
        pass


def _no_state(s: Sizes) -> tuple[Array, Array]:
    return np.zeros((s.hidden, s.batch), np.float32), np.zeros((s.hidden, s.batch), np.float32)


def _backward(s: Sizes, plain: Callable[[LayerWindow, State], Array], memory: int = 0) -> Pair:
    """The engine's way back without products, against ``plain``, which returns the gates' gradients [T, 4H, B]."""
    layer, zeros = LayerWindow(s), _no_state(s)
    block, tape, gates = WithoutProduct(s.embedding, s.hidden), layer.tape, layer.tape.gates.copy()

    def prepare() -> None:
        tape.gates[...] = gates

    def engine() -> Result:
        block.backward(layer.operand, tape, layer.d_output, zeros, NOWHERE)
        return (tape.d_gates,)

    return Pair(engine, lambda: (plain(layer, _no_state(s)),), prepare, memory=memory)


def back_over_steps(s: Sizes) -> Pair:
    """The way back over steps, whose gradients are copied into columns, against the same passes in columns."""
    H, T, B = s.hidden, s.window, s.batch
    layer, block, zeros = LayerWindow(s), WithoutProduct(s.embedding, H), _no_state(s)
    tape, gates = layer.tape, layer.tape.gates.copy()
    columns, direct = np.empty((2, 4 * H, (T + 1) * B), np.float32)[:, :, : T * B]
    in_columns = direct.reshape(4 * H, T, B, copy=False).swapaxes(0, 1)
    tape_in_columns = replace(tape, gates=in_columns, d_gates=in_columns)

    def prepare() -> None:
        tape.gates[...] = in_columns[...] = gates

    def copied() -> Result:
        block.backward(layer.operand, tape, layer.d_output, zeros, NOWHERE)
        write_columns(columns, tape.d_gates)
        return (columns,)

    def strided() -> Result:
        block.backward(layer.operand, tape_in_columns, layer.d_output, zeros, NOWHERE)
        return (direct,)

    return Pair(copied, strided, prepare)


def in_place(s: Sizes) -> Pair:
    """The gates' gradients in place of the gates, against an array of their own."""
    H = s.hidden
    d_gates = new_steps(s.window, 4 * H, s.batch, np.float32)
    scratch = np.empty((3 * H, s.batch), np.float32)
    part = scratch[:H]

    def apart(layer: LayerWindow, d_state: State) -> Array:
        tape, (dh, dc) = layer.tape, d_state
        for t in reversed(range(s.window)):
            gates, tanh_c, d = tape.gates[t], tape.tanh_cells[t], d_gates[t]
            f, u, o, candidate = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
            d_f, d_u, d_o, d_candidate = d[:H], d[H : 2 * H], d[2 * H : 3 * H], d[3 * H :]
            dh += layer.d_output[t]
            dh *= o
            np.multiply(dh, tanh_c, out=d_o)
            np.multiply(d_o, tanh_c, out=part)
            dh -= part
            dc += dh
            np.multiply(dc, u, out=part)
            np.multiply(part, candidate, out=d_u)
            np.multiply(d_u, candidate, out=d_candidate)
            np.subtract(part, d_candidate, out=d_candidate)
            dc *= f
            np.multiply(dc, tape.cells[t], out=d_f)
            np.multiply(gates[: 3 * H], d[: 3 * H], out=scratch)
            np.subtract(d[: 3 * H], scratch, out=d[: 3 * H])
        return d_gates

    return _backward(s, apart, d_gates.nbytes)


def slopes(s: Sizes) -> Pair:
    """Slopes as x minus x times s, against x times s (1 - s); both into memory that is there, gates in place."""
    H = s.hidden
    scratch, d_scratch = (np.empty((3 * H, s.batch), np.float32) for _ in range(2))
    part = scratch[:H]
    d_f, d_u, d_o = np.split(d_scratch, 3)

    def textbook(layer: LayerWindow, d_state: State) -> Array:
        tape, (dh, dc) = layer.tape, d_state
        for t in reversed(range(s.window)):
            gates, tanh_c, sigmoids = tape.gates[t], tape.tanh_cells[t], tape.gates[t, : 3 * H]
            f, u, o, candidate = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
            dh += layer.d_output[t]
            np.multiply(dh, tanh_c, out=d_o)
            dh *= o
            np.multiply(tanh_c, tanh_c, out=part)
            np.subtract(1, part, out=part)
            dh *= part
            dc += dh
            np.multiply(dc, candidate, out=d_u)
            candidate *= candidate
            np.subtract(1, candidate, out=candidate)
            np.multiply(dc, u, out=part)
            candidate *= part
            np.multiply(dc, tape.cells[t], out=d_f)
            dc *= f
            np.subtract(1, sigmoids, out=scratch)
            np.multiply(scratch, sigmoids, out=scratch)
            np.multiply(scratch, d_scratch, out=sigmoids)
        return tape.gates

    return _backward(s, textbook)


def preallocated(s: Sizes) -> Pair:
    """The same slopes into memory that is there, against expressions that make a new array for every result."""
    H = s.hidden

    def expressions(layer: LayerWindow, d_state: State) -> Array:
        tape, (dh, dc) = layer.tape, d_state
        for t in reversed(range(s.window)):
            gates, tanh_c = tape.gates[t], tape.tanh_cells[t]
            f, u, o, candidate = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
            y = (dh + layer.d_output[t]) * o
            d_o = y * tanh_c
            dh = y - d_o * tanh_c
            dc = dc + dh
            w = dc * u
            d_u = w * candidate
            d_candidate = w - d_u * candidate
            dc = dc * f
            d_f = dc * tape.cells[t]
            f[:], u[:], o[:], candidate[:] = d_f - d_f * f, d_u - d_u * u, d_o - d_o * o, d_candidate
        return tape.gates

    return _backward(s, expressions)


LSTM_FILE = "nn/blocks/lstm.py"
BACKWARD_TRICKS = (
    Trick("Way back over steps, then copied into columns; not all passes in columns", "nn/columns.py", back_over_steps),
    Trick("Gradients of gates in place of the gates; not in a second array", LSTM_FILE, in_place),
    Trick("Slopes as x minus x times s; not as x times s (1 - s)", LSTM_FILE, slopes),
    Trick("Results into memory that is there; not into new arrays", LSTM_FILE, preallocated),
)
