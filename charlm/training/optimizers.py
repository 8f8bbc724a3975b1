"""Optimisers on the flat parameter buffer, ten lines of mathematics each.

They walk over the buffer in blocks that stay in the cache, so that an update costs one pass through memory.
Weight decay is decoupled (Loshchilov & Hutter 2019): ``p -= lr * decay * p``, on weights and not on biases.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from charlm.nn.arrays import Array
from charlm.nn.parameters import Parameters

BLOCK = 1 << 15
"""Parameters that are worked on at a time: with their moments and scratch, 640 KB of float32."""


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
        self._scratch = np.empty((2, min(BLOCK, len(parameters))), parameters.dtype)

    def update(self, lr: float) -> None:
        """One step with learning rate ``lr``."""
        self.updates += 1
        count, decayed = len(self.parameters), self.parameters.decayed
        for begin in range(0, count, BLOCK):
            part = slice(begin, min(begin + BLOCK, count))
            values = self.parameters.values[part]
            if self.weight_decay and begin < decayed:
                values[: decayed - begin] *= values.dtype.type(1 - lr * self.weight_decay)
            moments = [self.moments[name][part] for name in self.moment_names]
            scratch = self._scratch[:, : values.size]
            self._update_block(values, self.parameters.gradient_values[part], moments, scratch, lr)

    @abstractmethod
    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        """Update ``p`` and ``moments`` in place from ``g``, all of one length; ``scratch`` holds two such."""


class AdamW(Optimizer):
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    beta2 is 0.99, not the paper's 0.999: runs of minutes have few steps, and the second moment must follow.
    """

    moment_names = ("m", "v")
    beta1, beta2, epsilon = 0.9, 0.99, 1e-8

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        m, v = moments
        step, root = scratch
        kind = p.dtype.type
        np.subtract(g, m, out=step)
        step *= kind(1 - self.beta1)
        m += step
        _root_mean_square(v, g, root, self.beta2, self.updates, self.epsilon)
        np.divide(m, root, out=step)
        step *= kind(lr / (1 - self.beta1**self.updates))
        p -= step


class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak 1964): b = 0.9 b + g; p -= lr b."""

    moment_names = ("momentum",)
    momentum = 0.9

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        (buffer,) = moments
        buffer *= p.dtype.type(self.momentum)
        buffer += g
        np.multiply(buffer, p.dtype.type(lr), out=scratch[0])
        p -= scratch[0]


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012): s = 0.95 s + 0.05 g^2; p -= lr g / (sqrt(s) + eps).

    The average starts at zero and is corrected for it, as Adam's is, so that the first steps are not huge.
    """

    moment_names = ("square",)
    decay, epsilon = 0.95, 1e-8

    def _update_block(self, p: Array, g: Array, moments: list[Array], scratch: Array, lr: float) -> None:
        (square,) = moments
        step, root = scratch
        kind = p.dtype.type
        _root_mean_square(square, g, root, self.decay, self.updates, self.epsilon)
        np.divide(g, root, out=step)
        step *= kind(lr)
        p -= step


def _root_mean_square(average: Array, g: Array, out: Array, decay: float, updates: int, epsilon: float) -> None:
    """Move the running average of g^2 on; write its root, corrected for its start at zero, plus epsilon."""
    kind = g.dtype.type
    np.multiply(g, g, out=out)
    out -= average
    out *= kind(1 - decay)
    average += out
    np.multiply(average, kind(1 / (1 - decay**updates)), out=out)
    np.sqrt(out, out=out)
    out += kind(epsilon)


_BY_NAME: Mapping[str, type[Optimizer]] = {"adamw": AdamW, "sgd": SGD, "rmsprop": RMSprop}


def make_optimizer(name: str, parameters: Parameters, weight_decay: float) -> Optimizer:
    """The optimiser called ``name`` (one of ``config.OPTIMIZERS``)."""
    return _BY_NAME[name](parameters, weight_decay)
