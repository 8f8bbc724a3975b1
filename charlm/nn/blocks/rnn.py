"""The simple recurrent network (Elman 1990): one product a step on a column [h; x; 1]."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array, State, Views
from charlm.nn.block import Block, Operand, Starts, Tape
from charlm.nn.columns import new_steps


@dataclass
class RNNTape(Tape):
    """The RNN's tape: scratch for one step; its activations stand in ``outputs``."""

    hidden: Array  # [T + 1, H, B], view into the inputs: h_{t-1} in entry t
    outputs: Array  # [T, H, B]: h_t, not replaced where the next text starts; then its pre-activation's gradient
    scratch: Array  # [2, H, B], for one step back


class RNN(Block):
    """The simple RNN, with tanh or ReLU."""

    state_names = ("hidden",)
    gates = ("a",)

    def __init__(self, input_size: int, hidden: int, activation: str = "tanh") -> None:
        super().__init__(input_size, hidden)
        self.activation = activation
        self.equations = f"a = {activation}(W_aa @ a_prev + W_ax @ x + b_a)  # activation"

    def initialize(self, views: Views, generator: np.random.Generator) -> None:
        """As every block; with ReLU the recurrent matrix is the identity (Le et al. 2015)."""
        super().initialize(views, generator)
        if self.activation == "relu":
            views["W_aa"][...] = np.eye(self.hidden)

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> RNNTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs = np.zeros((T + 1, H + R + 1, B), dtype)
        inputs[:, -1] = 1
        outputs = new_steps(T, H, B, dtype, keep=keep)
        return RNNTape(
            inputs=inputs,
            x=inputs[:T, H : H + R],
            d_gates=outputs,
            hidden=inputs[:, :H],
            outputs=outputs,
            scratch=np.empty((2, H, B), dtype),
        )

    def forward(self, operand: Operand, tape: Tape, state: State, starts: Starts, output: Array) -> State:
        assert isinstance(tape, RNNTape)
        T = len(output)
        (product,) = operand.products
        inputs, hidden = tape.inputs, tape.hidden
        (hidden[0],) = state
        for t in range(T):
            starts.write(t, (hidden[t],))
            h = tape.outputs[t]
            product.dot(inputs[t], h)
            if self.activation == "tanh":
                np.tanh(h, h)
            else:
                np.maximum(h, 0, out=h)
            hidden[t + 1] = h
            output[t] = h
        return (hidden[T].copy(),)

    def backward(self, operand: Operand, tape: Tape, d_output: Array, d_state: State, starts: Starts) -> State:
        assert isinstance(tape, RNNTape)
        d_pre, product = tape.scratch
        (dh,) = (np.array(d, d_output.dtype) for d in d_state)
        for t in reversed(range(len(d_output))):
            h = tape.outputs[t]
            np.add(dh, d_output[t], out=d_pre)
            if self.activation == "tanh":
                np.multiply(d_pre, h, out=product)
                product *= h
                np.subtract(d_pre, product, out=h)
            else:
                np.multiply(d_pre, h > 0, out=h)
            operand.recurrent_back.dot(h, dh)
            starts.take_back(t, (dh,))
        return (dh,)
