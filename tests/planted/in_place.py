"""Errors in what blocks write into a second time, and in what their steps share or keep."""

from planted.mutant import ENGINE, FORWARD_ONLY, Mutant

LSTM, PEEPHOLE, GRU, RNN, NORM, NORM_LSTM, SRU, MINGRU = (
    f"nn/blocks/{name}.py"
    for name in ("lstm", "peephole_lstm", "gru", "rnn", "normalized", "norm_lstm", "sru", "mingru")
)

MUTANTS = [
    # ---- lstm.py and its variants
    Mutant(
        "in place: the LSTM's candidate is gone before the update gate has its gradient",
        LSTM,
        "            np.multiply(part, candidate, out=d_u)\n            candidate *= d_u\n"
        "            np.subtract(part, candidate, out=candidate)\n",
        "            candidate *= part * candidate\n            np.subtract(part, candidate, out=candidate)\n"
        "            np.multiply(part, candidate, out=d_u)\n",
        ENGINE,
        "lstm",
    ),
    Mutant(
        "in place: the forget gate is gone before the cell's gradient has gone through it",
        LSTM,
        "            dc *= f\n            np.multiply(dc, c_prev, out=d_f)\n",
        "            np.multiply(dc * f, c_prev, out=d_f)\n            f -= f * f\n            dc *= f\n",
        ENGINE,
        "lstm",
    ),
    Mutant(
        "in place: a coupled LSTM's rows are taken from the first, which are f's",
        LSTM,
        "d_gates=gates[:, (4 - len(self.gates)) * H :],",
        "d_gates=gates[:, : len(self.gates) * H],",
        ENGINE,
        "coupled",
    ),
    Mutant(
        "in place: the LSTM's steps share their inputs where there is no way back",
        LSTM,
        "        inputs = np.zeros((T + 1, H + R + 1, B), dtype)\n",
        "        inputs = new_steps(T + 1, H + R + 1, B, dtype, keep=keep)\n",
        FORWARD_ONLY,
        "lstm",
    ),
    Mutant(
        "in place: the new cell that a peephole saw is the one before",
        PEEPHOLE,
        "tape.new_cells[t] = tape.cells[t + 1]",
        "tape.new_cells[t] = tape.cells[t]",
        ENGINE,
        "peephole-lstm-standard",
    ),
    Mutant(
        "in place: the new cells that peepholes saw are all the last one",
        PEEPHOLE,
        "cells = new_steps(time, self.hidden, batch, dtype, keep=keep)",
        "cells = new_steps(time, self.hidden, batch, dtype, keep=False)",
        ENGINE,
        "peephole-lstm-standard",
    ),
    Mutant(
        "in place: the gradient through the output gate's peephole has no slope",
        PEEPHOLE,
        "        np.subtract(tape.scratch[3 * self.hidden :], d_o, out=d_o)\n",
        "        d_o[...] = tape.scratch[3 * self.hidden :]\n",
        ENGINE,
        "peephole-lstm-standard",
    ),
    Mutant(
        "in place: the normalised cell goes back through the room of the output gate's gradient",
        NORM_LSTM,
        "        through, d_cell, _, _ = np.split(tape.scratch, 4)\n",
        "        through, _, _, d_cell = np.split(tape.scratch, 4)\n",
        ENGINE,
        "norm-lstm",
    ),
    Mutant(
        "in place: normalised recurrent halves are all the last one",
        NORM,
        "normal_recurrent=new_steps(time, rows, batch, dtype, keep=keep)",
        "normal_recurrent=new_steps(time, rows, batch, dtype, keep=False)",
        ENGINE,
        "norm-",
    ),
    Mutant(
        "in place: a window is normalised over its steps",
        "nn/normalization.py",
        "z.mean(axis=-2, keepdims=True)",
        "z.mean(axis=0, keepdims=True)",
        ENGINE,
        "norm-",
    ),
    # ---- gru.py, rnn.py
    Mutant(
        "in place: the GRU's candidate is gone before the update gate has its gradient",
        GRU,
        "            np.subtract(candidate, h_prev, out=product)\n            product *= weighted\n"
        "            u *= product\n            np.subtract(product, u, out=u)\n"
        "            np.multiply(weighted, candidate, out=product)\n            candidate *= product\n"
        "            np.subtract(weighted, candidate, out=candidate)\n",
        "            np.multiply(weighted, candidate, out=product)\n            candidate *= product\n"
        "            np.subtract(weighted, candidate, out=candidate)\n"
        "            np.subtract(candidate, h_prev, out=product)\n            product *= weighted\n"
        "            u *= product\n            np.subtract(product, u, out=u)\n",
        ENGINE,
        "gru-",
    ),
    Mutant(
        "in place: the recurrent half is gone before the reset gate has its gradient",
        GRU,
        "    r *= p\n    np.subtract(p, r, out=r)\n    p[...] = scratch\n",
        "    p[...] = scratch\n    r *= p\n    np.subtract(p, r, out=r)\n",
        ENGINE,
        "gru",
    ),
    Mutant(
        "in place: the reset gate is gone before the recurrent half has its gradient",
        GRU,
        "    p[...] = scratch\n",
        "    np.multiply(dcandidate, r, out=p)\n",
        ENGINE,
        "gru",
    ),
    Mutant(
        "in place: the state before takes the reset gate for its gradient (reset before)",
        GRU,
        "        np.subtract(product, r, out=r)  # dz_r\n"
        "        np.matmul(operand.recurrent_back[:, : 2 * H], sigmoids, out=through)\n",
        "        np.matmul(operand.recurrent_back[:, : 2 * H], sigmoids, out=through)\n"
        "        np.subtract(product, r, out=r)  # dz_r\n",
        ENGINE,
        "gru-before",
    ),
    Mutant(
        "in place: the state before takes the input's gradients for its own (reset after)",
        GRU,
        "operand.recurrent_back.dot(gates[: 3 * H], through)",
        "operand.recurrent_back.dot(gates[H:], through)",
        ENGINE,
        "gru-after",
    ),
    Mutant(
        "in place: the RNN's gradients are written over its states",
        RNN,
        "        outputs = new_steps(T, H, B, dtype, keep=keep)\n",
        "        outputs = inputs[1:, :H]\n",
        ENGINE,
        "rnn",
    ),
    # ---- sru.py, mingru.py
    Mutant(
        "in place: the SRU's candidate is gone before the cell is made once more",
        SRU,
        "            np.subtract(c_prev, z, out=apart)\n",
        "            np.subtract(c_prev, z, out=apart)\n            np.multiply(d_output[t], r, out=z)\n",
        ENGINE,
        "sru",
    ),
    Mutant(
        "in place: the projected highway is gone before the reset gate has its gradient",
        SRU,
        "            c -= self._highway(tape, t)\n",
        "            np.subtract(d_output[t], d_output[t] * r, out=tape.d_highway[t])\n"
        "            c -= self._highway(tape, t)\n",
        ENGINE,
        "sru",
    ),
    Mutant(
        "in place: the highway's columns are written over the input's gradient",
        SRU,
        "            d_highway = columns.d_gates[: self.hidden]\n",
        "            d_highway = columns.inputs[: self.hidden]\n",
        ENGINE,
        "sru",
    ),
    Mutant(
        "in place: the minimal GRU's candidate is gone before the update gate has its gradient",
        MINGRU,
        "            u *= candidate\n            np.subtract(candidate, u, out=u)\n"
        "            candidate[...] = weighted\n",
        "            candidate[...] = weighted\n            u *= candidate\n"
        "            np.subtract(candidate, u, out=u)\n",
        ENGINE,
        "mingru",
    ),
]
