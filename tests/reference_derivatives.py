"""The naive reference's derivatives: there is no backward pass to get wrong.

Everything in the reference runs in complex numbers as well, so a derivative is the imaginary part left by an
imaginary step too small to round anything: Im f(p + ih) / h, exact to round-off (Squire and Trapp, "Using
complex variables to estimate derivatives of real functions", SIAM Review 40, 1998).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_cells import Array, Parameters, Parts

_IMAGINARY_STEP = 1e-30


class Gradients(NamedTuple):
    """Derivatives, each of the shape of what it is a derivative by."""

    parameters: Parameters
    state: list[Parts]  # by the initial states


def to_complex(array: Array) -> Array:
    """A copy that `derivatives` can step in."""
    return np.asarray(array.astype(np.complex128))


def derivatives(function: Callable[[], Any], array: Array) -> Array:
    """The derivative of `function` by each entry of the complex `array` it reads, which is changed and put back."""
    found = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + 1j * _IMAGINARY_STEP
        found[index] = function().imag / _IMAGINARY_STEP
        array[index] = value
    return found
