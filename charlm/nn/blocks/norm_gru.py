"""The layer-normalised GRU (Ba et al. 2016, supplementary material); it resets after the product.

The two gates are normalised together, the candidate by itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array
from charlm.nn.block import Operand, Tape
from charlm.nn.blocks.gru import GRU, GRUTape, reset_back
from charlm.nn.blocks.normalized import NormalizedGates, NormalizedTape, halves_of
from charlm.nn.columns import WindowColumns, new_steps


@dataclass
class NormGRUTape(NormalizedTape, GRUTape):
    """The GRU's tape with the normalised halves."""

    recurrent: Array  # [T, H, B]: p; after the way back its gradient


class NormGRU(NormalizedGates, GRU):
    """The normalised GRU; norm(...) of several vectors normalises them as one."""

    groups = (("r", "u"), ("c",))
    further_vectors = ("b_ca",)
    equations = """
        h_r, h_u = norm(W_ra @ a_prev, W_ua @ a_prev)     # recurrent halves
        x_r, x_u = norm(W_rx @ x, W_ux @ x)               # input halves
        r = sigmoid(gain_ra * h_r + gain_rx * x_r + b_r)  # reset gate
        u = sigmoid(gain_ua * h_u + gain_ux * x_u + b_u)  # update gate
        p = gain_ca * norm(W_ca @ a_prev) + b_ca          # candidate's recurrent half
        candidate = tanh(gain_cx * norm(W_cx @ x) + b_c + r * p)  # candidate
        a = u * candidate + (1 - u) * a_prev              # activation
    """

    gate_rows = 3

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike, *, keep: bool = True) -> NormGRUTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs, gates = self.new_inputs(R, T, B, dtype), new_steps(T, 3 * H, B, dtype, keep=keep)
        return NormGRUTape(
            inputs=inputs,
            x=inputs[:T, H:],
            d_gates=np.empty((T, 6 * H, B), dtype),
            hidden=inputs[:, :H],
            gates=gates,
            recurrent=new_steps(T, H, B, dtype, keep=keep),
            scratch=np.empty((4, H, B), dtype),
            halves=self.new_halves(inputs, gates, np.empty((T, 3 * H, B), dtype), keep=keep),
        )

    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        assert isinstance(tape, NormGRUTape)
        halves, sigmoids = halves_of(tape), 2 * self.hidden
        z, recurrent = tape.steps[t].sigmoids, self.recur(operand, halves, t)
        np.add(recurrent[:sigmoids], halves.driven[t, :sigmoids], out=z)
        z *= 0.5  # no scale in the operand has done it
        np.add(recurrent[sigmoids:], operand.vectors["b_ca"], out=tape.recurrent[t])

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:  # noqa: ARG002 - the products are made
        assert isinstance(tape, NormGRUTape)
        _, r, _, candidate, _, _ = tape.steps[t]
        np.multiply(r, tape.recurrent[t], out=candidate)
        candidate += halves_of(tape).driven[t, 2 * self.hidden :]

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        assert isinstance(tape, NormGRUTape)
        sigmoids, step, d_recurrent = 2 * self.hidden, tape.steps[t], halves_of(tape).d_recurrent[t]
        reset_back(step.r, tape.recurrent[t], step.candidate, tape.scratch[1])
        d_recurrent[:sigmoids], d_recurrent[sigmoids:] = step.sigmoids, tape.recurrent[t]
        dh += self.recur_back(operand, tape, t)

    def weight_gradient(self, tape: Tape, time: int, columns: WindowColumns, d_operand: Operand) -> None:
        assert isinstance(tape, NormGRUTape)
        super().weight_gradient(tape, time, columns, d_operand)
        d_operand.vectors["b_ca"][:, 0] = tape.recurrent[:time].sum(axis=(0, 2))
