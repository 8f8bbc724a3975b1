"""The tricks of the loop over time: products, activations, and where a step's numbers lie."""

from collections.abc import Callable

import numpy as np

from bench.trick import LayerWindow, Pair, Result, Sizes, Trick
from charlm.nn.activations import gates_in_place
from charlm.nn.arrays import Array
from charlm.nn.columns import Columns, flat, write_columns, write_steps


def lanes_across(s: Sizes) -> Pair:
    """W @ x with lanes across, against x @ W.T with features across; both weights contiguous."""
    layer = LayerWindow(s)
    operand, inputs, z = layer.operand.products[0], layer.tape.inputs, layer.tape.gates
    transposed, lanes_down = np.ascontiguousarray(operand.T), np.ascontiguousarray(inputs.swapaxes(1, 2))
    z_down = np.empty((s.window, s.batch, 4 * s.hidden), np.float32)

    def across() -> Result:
        for t in range(s.window):
            np.dot(operand, inputs[t], out=z[t])
        return (z,)

    def down() -> Result:
        for t in range(s.window):
            np.dot(lanes_down[t], transposed, out=z_down[t])
        return (z_down.swapaxes(1, 2),)

    return Pair(across, down)


def one_product(s: Sizes) -> Pair:
    """One product over [h; x; 1], against two products and a bias for each gate."""
    layer, H = LayerWindow(s), s.hidden
    operand, inputs, z = layer.operand.products[0], layer.tape.inputs, layer.tape.gates
    recurrent, from_input, biases = (
        np.split(np.ascontiguousarray(part), 4) for part in np.split(operand, (H, operand.shape[1] - 1), axis=1)
    )
    part = np.empty((H, s.batch), np.float32)

    def together() -> Result:
        for t in range(s.window):
            np.dot(operand, inputs[t], out=z[t])
        return (z,)

    def apart() -> Result:
        for t in range(s.window):
            h, x = inputs[t, :H], inputs[t, H:-1]
            for g in range(4):
                gate = z[t, g * H : (g + 1) * H]
                np.dot(recurrent[g], h, out=gate)
                np.dot(from_input[g], x, out=part)
                gate += part
                gate += biases[g]
        return (z,)

    return Pair(together, apart)


def dot(s: Sizes) -> Pair:
    """A step's product asked of the matrix itself, against ``np.matmul``."""
    layer = LayerWindow(s)
    operand, inputs, z = layer.operand.products[0], layer.tape.inputs, layer.tape.gates

    def by(product: Callable[[Array, Array, Array], object]) -> Callable[[], Result]:
        def run() -> Result:
            for t in range(s.window):
                product(operand, inputs[t], z[t])
            return (z,)

        return run

    return Pair(by(lambda matrix, x, out: matrix.dot(x, out)), by(lambda matrix, x, out: np.matmul(matrix, x, out=out)))


def one_tanh(s: Sizes) -> Pair:
    """One tanh over all gates, the halving done by the operand, against an exponential for each sigmoid; in place."""
    sigmoids = 3 * s.hidden
    given = s.normal(s.window, 4 * s.hidden, s.batch)
    z, z_plain = np.empty_like(given), np.empty_like(given)

    def prepare() -> None:
        z[...] = z_plain[...] = given
        z[:, :sigmoids] *= 0.5

    def tanh() -> Result:
        for step in z:
            gates_in_place(step, sigmoids)
        return (z,)

    def exponential() -> Result:
        for step in z_plain:
            gates, candidate = step[:sigmoids], step[sigmoids:]
            np.negative(gates, out=gates)
            np.exp(gates, out=gates)
            gates += 1
            np.divide(1, gates, out=gates)
            np.tanh(candidate, out=candidate)
        return (z_plain,)

    return Pair(tanh, exponential, prepare)


def steps(s: Sizes) -> Pair:
    """Steps that are copied into columns once a window, against columns that the loop reads and writes itself."""
    layer, H, T, B = LayerWindow(s), s.hidden, s.window, s.batch
    tape, o, tanh_c, made = layer.tape, s.normal(H, B), s.normal(H, B), np.split(s.normal(4 * H, B), 4)
    output, d_output = (np.empty((T, H, B), np.float32) for _ in range(2))
    dh = np.empty((H, B), np.float32)
    columns = Columns(4 * H, tape.inputs.shape[1], T, B, np.float32)
    output_columns = np.empty((H, (T + 1) * B), np.float32)[:, : T * B]
    d_columns = np.empty((H, (T + 1) * B), np.float32)[:, : T * B]
    write_columns(d_columns, layer.d_output)
    # Padded like the engine's, with the state after the last step in the padding.
    direct = Columns(4 * H, tape.inputs.shape[1], T, B, np.float32)
    d_gates, inputs = (each.reshape(-1, T + 1, B, copy=False) for each in (direct.first, direct.second))
    inputs[...] = tape.inputs.swapaxes(0, 1)

    def loop(hidden: Array, output: Array, d_output: Array, d_gates: Array) -> None:
        """Over arrays [T, rows, B], however they lie in memory."""
        for t in range(T):
            h = hidden[t + 1]
            np.multiply(o, tanh_c, out=h)
            output[t] = h
        dh[...] = 0
        for t in reversed(range(T)):
            np.add(dh, d_output[t], out=dh)
            for g, gradient in enumerate(made):
                d_gates[t, g * H : (g + 1) * H] = gradient

    def copied() -> Result:
        write_steps(d_output, d_columns)
        loop(tape.hidden, output, d_output, tape.d_gates)
        write_columns(output_columns, output)
        return dh, output_columns, *columns.window(tape.d_gates, tape.inputs[:T])

    def strided() -> Result:
        a, d_a = (each.reshape(H, T, B, copy=False).swapaxes(0, 1) for each in (output_columns, d_columns))
        loop(inputs[:H].swapaxes(0, 1), a, d_a, d_gates.swapaxes(0, 1))
        return dh, output_columns, flat(d_gates)[:, : T * B], flat(inputs)[:, : T * B]

    return Pair(copied, strided)


LSTM_FILE = "nn/blocks/lstm.py"
LOOP_TRICKS = (
    Trick("Features down, lanes across; not lanes down, features across", "nn/__init__.py", lanes_across),
    Trick("One product a step over [h; x; 1]; not one a gate and source", LSTM_FILE, one_product),
    Trick("`matrix.dot` for a step's product; not `np.matmul`", LSTM_FILE, dot),
    Trick("One tanh over all gates; not an exponential for each sigmoid", "nn/activations.py", one_tanh),
    Trick("Steps copied into columns once a window; not columns in the loop", "nn/columns.py", steps),
)
