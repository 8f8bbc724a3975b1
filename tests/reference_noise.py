"""What the naive reference's training does against learning by heart, with every mask given and none drawn.

embedding   x_t = tokens[v] * embedding[v] for token v, or the sum of several
inputs      the first layer reads inputs[t] * x_t
recurrent   W_ga stands for recurrent[W_ga] * W_ga
layers      a layer puts out layers[t] * a_t
smoothing   -log p[target] becomes -(1 - epsilon) log p[target] - epsilon / V sum over v of log p[v]
activation  + alpha mean((layers[t] * a_t)^2) over all numbers of the last layer
slowness    + beta mean((a_t - a_{t-1})^2), likewise, where no text starts at t
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_cells import Array, Parameters


@dataclass(frozen=True)
class Noise:
    """Masks that hold what a value is multiplied by; time may be 1 where it is the same at every step."""

    tokens: Array | None = None  # [rows of the embedding]
    inputs: Array | None = None  # [time, embedding, batch]
    layers: dict[int, Array] = field(default_factory=dict)  # [time, hidden, batch] of a layer
    recurrent: Parameters = field(default_factory=dict)  # of a parameter by its name
    smoothing: float = 0.0
    activation: float = 0.0
    slowness: float = 0.0

    def parameters(self, parameters: Parameters) -> Parameters:
        """The parameters as the network uses them."""
        return {name: value * self.recurrent.get(name, 1) for name, value in parameters.items()}

    def token(self, row: int) -> Any:
        """What an embedding is multiplied by."""
        return 1 if self.tokens is None else self.tokens[row]

    def at(self, mask: Array | None, t: int, b: int) -> Any:
        """What the numbers of a step of an example are multiplied by."""
        return 1 if mask is None else mask[t % len(mask), :, b]

    def smoothed(self, logprobs: Array, target: int) -> Any:
        """The cross-entropy of all log-probabilities with the smoothed target."""
        return -(1 - self.smoothing) * logprobs[target] - self.smoothing * logprobs.mean()

    def penalty(self, raw: Array, starts: Array, last: int) -> Any:
        """Of the last layer's activations [time, batch, hidden], before its mask."""
        time, batch, hidden = raw.shape
        squares: Any = 0
        changes: Any = 0
        counted = 0
        for t in range(time):
            for b in range(batch):
                squares = squares + ((self.at(self.layers.get(last), t, b) * raw[t, b]) ** 2).sum()
                if t > 0 and not starts[t, b]:
                    changes = changes + ((raw[t, b] - raw[t - 1, b]) ** 2).sum()
                    counted += hidden
        return self.activation * squares / raw.size + self.slowness * changes / max(counted, 1)
