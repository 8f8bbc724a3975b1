"""The layer-normalised GRU (Ba et al. 2016, supplementary material); it resets after the product.

The two gates are normalised together, the candidate by itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charlm.nn.arrays import Array
from charlm.nn.block import Operand, Tape
from charlm.nn.blocks.gru import GRU, GRUTape
from charlm.nn.blocks.normalized import NormalizedGates, NormalizedTape, halves_of
from charlm.nn.columns import new_columns


@dataclass
class NormGRUTape(NormalizedTape, GRUTape):
    """The GRU's tape with the normalised halves."""


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

    def new_tape(self, input_rows: int, time: int, batch: int, dtype: DTypeLike) -> NormGRUTape:
        H, R, T, B = self.hidden, input_rows, time, batch
        inputs, dz = self.new_inputs(R, T, B, dtype), new_columns(3 * H, T, B, dtype)
        return NormGRUTape(
            inputs=inputs,
            x=inputs[H:, :T],
            d_gates=new_columns(6 * H, T, B, dtype),
            hidden=inputs[:H],
            dz=dz,
            gates=np.empty((T, 2 * H, B), dtype),
            candidates=np.empty((T, H, B), dtype),
            recurrent=np.empty((T, H, B), dtype),
            scratch=np.empty((4, H, B), dtype),
            halves=self.new_halves(inputs, dz, new_columns(3 * H, T, B, dtype)),
        )

    def _gates_product(self, operand: Operand, tape: GRUTape, t: int) -> None:
        halves, z, sigmoids = halves_of(tape), tape.gates[t], 2 * self.hidden
        recurrent = self.recur(operand, halves, t)
        np.add(recurrent[:sigmoids], halves.driven[:sigmoids, t], out=z)
        z *= 0.5  # no scale in the operand has done it
        np.add(recurrent[sigmoids:], operand.vectors["b_ca"], out=tape.recurrent[t])

    def _candidate(self, operand: Operand, tape: GRUTape, t: int) -> None:  # noqa: ARG002 - the products are made
        H, candidate = self.hidden, tape.candidates[t]
        np.multiply(tape.gates[t, :H], tape.recurrent[t], out=candidate)
        candidate += halves_of(tape).driven[2 * H :, t]

    def _candidate_back(self, operand: Operand, tape: GRUTape, t: int, dh: Array) -> None:
        _, product, slope, _ = tape.scratch
        r, dz = tape.gates[t, : self.hidden], tape.dz[:, t]
        dr, du, dcandidate = self._parts(dz)
        d_recurrent = self._parts(halves_of(tape).d_recurrent[:, t])
        np.multiply(dcandidate, r, out=d_recurrent[2])  # dp
        np.multiply(d_recurrent[2], tape.recurrent[t], out=product)
        np.multiply(product, r, out=slope)
        np.subtract(product, slope, out=dr)
        d_recurrent[0][...] = dr
        d_recurrent[1][...] = du
        dh += self.recur_back(operand, tape, t)

    def weight_gradient(self, tape: Tape, time: int, d_operand: Operand) -> None:
        super().weight_gradient(tape, time, d_operand)
        _, _, dp = self._parts(halves_of(tape).d_recurrent[:, :time])
        d_operand.vectors["b_ca"][:, 0] = dp.sum(axis=(1, 2))
