"""Optimisers on the flat parameter buffer, ten lines of mathematics each.

They walk over the buffer in blocks that stay in the cache, so that an update costs one pass through memory.
Weight decay is decoupled (Loshchilov & Hutter 2019): ``p -= lr * decay * p``, on weights and not on biases.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from charlm.nn.arrays import Array
from charlm.nn.parameters import Parameters
from charlm.training.orthogonal import orthogonal

BLOCK = 1 << 16
"""Parameters that are worked on at a time: with their gradients, moments and scratch, 1.3 MB of float32."""
LAYERS = "layers."
"""In the names of all parameters of recurrent layers, and of no others."""
MATRIX = 2
"""Dimensions of one."""


class Optimizer(ABC):
    """Changes parameters against their gradients; keeps moments of the same layout.

    Args:
        parameters: what ``update`` changes.
        weight_decay: decoupled decay, for each unit of learning rate.
    """

    moment_names: tuple[str, ...] = ()

    def __init__(self, parameters: Parameters, weight_decay: float) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.moments: Mapping[str, Array] = {name: np.zeros_like(parameters.values) for name in self.moment_names}
        self.updates = 0
        self._scratch = np.empty(min(BLOCK, len(parameters)), parameters.dtype)

    def update(self, lr: float) -> None:
        """One step with learning rate ``lr``."""
        self.updates += 1
        self._update_span(0, len(self.parameters), lr)

    def _update_span(self, first: int, end: int, lr: float) -> None:
        """Update the parameters in these places of the flat buffer."""
        decayed = self.parameters.decayed
        for begin in range(first, end, BLOCK):
            part = slice(begin, min(begin + BLOCK, end))
            values = self.parameters.values[part]
            if self.weight_decay and begin < decayed:
                values[: decayed - begin] *= values.dtype.type(1 - lr * self.weight_decay)
            moments = [self.moments[name][part] for name in self.moment_names]
            scratch = self._scratch[: values.size]
            self._update_block(values, self.parameters.gradient_values[part], moments, scratch, lr)

    def forget(self) -> None:
        """Begin anew: no moments, no updates."""
        self.updates = 0
        for moment in self.moments.values():
            moment[...] = 0

    @abstractmethod
    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        """Update ``p`` and ``moments`` in place from ``g``, all of one length, as is ``scratch``."""


class AdamW(Optimizer):
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    Kept are m / (1 - b1) and v / (1 - b2), whose updates need no factor for g; all constants stand in the learning rate
    and in epsilon.

    beta2 is 0.99, not the paper's 0.999: runs of minutes have few steps, and the second moment must follow.
    """

    moment_names = ("m", "v")
    beta1, beta2, epsilon = 0.9, 0.99, 1e-8

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        m, v = moments
        kind = p.dtype.type
        m *= kind(self.beta1)
        m += g
        correction = (1 - self.beta1) / (1 - self.beta1**self.updates)
        mean = _add_squares(v, g, scratch, self.beta2, self.updates)
        _subtract_scaled(p, m, v, scratch, lr * correction, mean, self.epsilon)


class Muon(AdamW):
    """Muon (Jordan et al. 2024) for the matrices of recurrent layers, with the scale of Liu et al. 2025, section 2.2.

    For each such matrix W [m, n], with Nesterov's momentum (Sutskever et al. 2013):

    b = 0.9 b + g;  W -= lr * 0.2 sqrt(max(m, n)) * orthogonal(g + 0.9 b)

    where orthogonal(U S V^T) is U V^T: every direction moves as far as the steepest one. The scale makes entries move
    about as far as AdamW's, so that one learning rate serves both: embeddings, the head, and vectors take AdamW's step.

    Departures: momentum 0.9, not 0.95, for runs of minutes have few steps; the matrices of a gate are made orthogonal
    one by one.

    A matrix's momentum stands in ``m``; its ``v`` stays zero.
    """

    momentum, size = 0.9, 0.2

    def __init__(self, parameters: Parameters, weight_decay: float) -> None:
        super().__init__(parameters, weight_decay)
        self._matrices: list[tuple[Array, Array, Array]] = []
        self._others: list[tuple[int, int]] = []
        begin = 0
        for name, view in parameters.views.items():
            end = begin + view.size
            if LAYERS in name and view.ndim == MATRIX:
                moment = self.moments["m"][begin:end].reshape(view.shape)
                self._matrices.append((view, parameters.gradients[name], moment))
            else:
                self._others.append((begin, end))
            begin = end

    def update(self, lr: float) -> None:
        """One step with learning rate ``lr``."""
        self.updates += 1
        for begin, end in self._others:
            self._update_span(begin, end, lr)
        for matrix, gradient, moment in self._matrices:
            self._update_matrix(matrix, gradient, moment, lr)

    def _update_matrix(self, p: Array, g: Array, m: Array, lr: float) -> None:
        kind = p.dtype.type
        m *= kind(self.momentum)
        m += g
        step = orthogonal(g + kind(self.momentum) * m)
        step *= kind(lr * self.size * math.sqrt(max(p.shape)))
        if self.weight_decay:
            p *= kind(1 - lr * self.weight_decay)
        p -= step


class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak 1964): b = 0.9 b + g; p -= lr b."""

    moment_names = ("momentum",)
    momentum = 0.9

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        (buffer,) = moments
        buffer *= p.dtype.type(self.momentum)
        buffer += g
        np.multiply(buffer, p.dtype.type(lr), out=scratch)
        p -= scratch


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012): s = 0.95 s + 0.05 g^2; p -= lr g / (sqrt(s) + eps).

    The average starts at zero and is corrected for it, as Adam's is, so that the first steps are not huge. Kept is
    s / 0.05.
    """

    moment_names = ("square",)
    decay, epsilon = 0.95, 1e-8

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        (square,) = moments
        mean = _add_squares(square, g, scratch, self.decay, self.updates)
        _subtract_scaled(p, g, square, scratch, lr, mean, self.epsilon)


def _add_squares(squares: Array, g: Array, scratch: Array, decay: float, updates: int) -> float:
    """Move a decaying sum of g^2 on; return what makes it their mean, corrected for its start at zero."""
    np.multiply(g, g, out=scratch)
    squares *= g.dtype.type(decay)
    squares += scratch
    return (1 - decay) / (1 - decay**updates)


def _subtract_scaled(
    p: Array, step: Array, squares: Array, scratch: Array, lr: float, mean: float, epsilon: float
) -> None:
    """``p -= lr * step / (sqrt(mean * squares) + epsilon)``, with the root of ``mean`` divided out."""
    kind, root = p.dtype.type, math.sqrt(mean)
    np.sqrt(squares, out=scratch)
    scratch += kind(epsilon / root)
    np.divide(step, scratch, out=scratch)
    scratch *= kind(lr / root)
    p -= scratch


_BY_NAME: Mapping[str, type[Optimizer]] = {"adamw": AdamW, "muon": Muon, "sgd": SGD, "rmsprop": RMSprop}


def make_optimizer(name: str, parameters: Parameters, weight_decay: float) -> Optimizer:
    """The optimiser called ``name`` (one of ``config.OPTIMIZERS``)."""
    return _BY_NAME[name](parameters, weight_decay)
