"""Penalties on the last layer's activations a_t (Merity, McCann & Socher 2017, "Revisiting activation regularization").

    loss + alpha mean((m_t * a_t)^2) + beta mean((a_t - a_{t-1})^2)

The first (AR, "activation regularisation") keeps outputs small, as they are after dropout m; the second (TAR,
"temporal activation regularisation", there after slow feature analysis) keeps them from changing fast, before dropout.
As in the authors' code both are means over all numbers, and both are of the block's own output: what a residual
connection adds does not count. No change is counted from one window to the next.

Departure: where a text starts, the step to it from the text before is not counted either; the second mean is over the
steps that are.
"""

from dataclasses import dataclass

import numpy as np

from charlm.nn.arrays import Array, Flags
from charlm.nn.regularization import OFF, Regularization


@dataclass
class ActivationPenalty:
    """Both penalties of one window.

    Attributes:
        activations: [T, H, B], room for the window's, before dropout; it costs no memory until there is a penalty.
        how: of the last window.
    """

    activations: Array
    how: Regularization = OFF

    def forward(self, activations: Array, how: Regularization) -> None:
        """Keep what backward needs of the activations [t, H, B]."""
        self.how = how
        if how.activation or how.slowness:
            self.activations[: len(activations)] = activations

    def backward(self, d_activations: Array, mask: Array | None, starts: Flags) -> None:
        """Add the gradient of both penalties.

        Args:
            d_activations: [t, H, B]; added to.
            mask: of the dropout on the activations, None where there is none.
            starts: [t, B], where a text begins.
        """
        a = self.activations[: len(d_activations)]
        if self.how.activation:
            size = a.dtype.type(2 * self.how.activation / a.size)
            d_activations += a * size if mask is None else a * (mask * mask * size)
        if self.how.slowness:
            goes_on = ~starts[1:, None]
            size = 2 * self.how.slowness / max(np.count_nonzero(goes_on) * a.shape[1], 1)
            change = np.subtract(a[1:], a[:-1])
            change *= goes_on * a.dtype.type(size)
            d_activations[1:] += change
            d_activations[:-1] -= change
