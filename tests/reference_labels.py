"""The naive reference's label models: one text at a time, one token at a time.

    x_t = embedding[token t] [; forward output at its last character; backward output at its first]
    a_t = what the encoder puts out
    token    z = W_y a_t + b_y, for each t
    text     z = W_y p + b_y;  p = [forward's last a; backward's first a], mean of a_t, or largest of a_t row by row
    softmax  y = exp(z) / sum exp(z);  loss = -log y[target]
    sigmoid  y = 1 / (1 + exp(-z));    loss = -(log y[target] + sum of log(1 - y) over the other labels)

The loss of a batch is the mean over the counted targets, each with the weight of its label. The parameters are those of
the encoder, `embedding`, `head.W_y` and `head.b_y`, and the character network's own encoder and embedding below
`characters.`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from reference_derivatives import derivatives, to_complex
from reference_encoder import DIRECTIONS, encode, encoder_shapes
from reference_model import check_parameters, of_prefix

if TYPE_CHECKING:
    from reference_cells import Array, Network, Parameters, Shapes


@dataclass(frozen=True)
class LabelNetwork:
    """What a label model is, apart from its numbers; `characters` is 0 where no spelling is read."""

    network: Network
    directions: tuple[str, ...] = DIRECTIONS
    unit: str = "token"
    output: str = "softmax"
    pooling: str = "last"
    vocabulary: int = 5
    embedding: int = 2
    hidden: int = 2
    labels: int = 3
    characters: int = 0
    char_embedding: int = 2
    char_hidden: int = 2

    @property
    def speller(self) -> Network:
        """The character network: the same cell, one layer."""
        return replace(self.network, layers=1, residual=False)


@dataclass(frozen=True)
class LabelBatch:
    """Texts and their targets: [length] each of tokens, or a number of texts; -1 is not counted."""

    texts: list[Array]
    targets: list[Array]
    spellings: list[list[Array]] = field(default_factory=list)
    weights: Array | None = None  # a label's


def label_shapes(model: LabelNetwork) -> Shapes:
    """Every parameter's name and shape."""
    size, rows = model.embedding, model.hidden * len(model.directions)
    shapes: Shapes = {"embedding": (model.vocabulary, model.embedding)}
    if model.characters:
        size += 2 * model.char_hidden
        own: Shapes = {"embedding": (model.characters, model.char_embedding)}
        own |= encoder_shapes(model.speller, input_size=model.char_embedding, hidden=model.char_hidden)
        shapes |= {f"characters.{name}": shape for name, shape in own.items()}
    shapes |= encoder_shapes(model.network, input_size=size, hidden=model.hidden, directions=model.directions)
    return shapes | {"head.W_y": (model.labels, rows), "head.b_y": (model.labels,)}


def label_probabilities(parameters: Parameters, model: LabelNetwork, batch: LabelBatch) -> list[Array]:
    """For each text the probabilities of the labels, [length, K] or [1, K]."""
    check_parameters(parameters, label_shapes(model), model.network)
    return [_probabilities(parameters, model, batch, number) for number in range(len(batch.texts))]


def label_loss(parameters: Parameters, model: LabelNetwork, batch: LabelBatch) -> Any:
    """The mean loss of the counted targets, weighted."""
    total: Any = 0
    counted = 0.0
    for y, targets in zip(label_probabilities(parameters, model, batch), batch.targets, strict=True):
        for row, target in zip(y, np.atleast_1d(targets), strict=True):
            if target >= 0:
                weight = 1.0 if batch.weights is None else batch.weights[target]
                others = np.delete(row, target) if model.output == "sigmoid" else np.zeros(0)
                total -= weight * (np.log(row[target]) + np.log(1 - others).sum())
                counted += weight
    return total / counted


def label_gradients(parameters: Parameters, model: LabelNetwork, batch: LabelBatch) -> Parameters:
    """The derivatives of `label_loss` by every parameter."""
    stepped = {name: to_complex(value) for name, value in parameters.items()}
    return {name: derivatives(lambda: label_loss(stepped, model, batch), value) for name, value in stepped.items()}


def _probabilities(parameters: Parameters, model: LabelNetwork, batch: LabelBatch, number: int) -> Array:
    x = parameters["embedding"][batch.texts[number]]
    if model.characters:
        spelled = np.array([_spelled(parameters, model, spelling) for spelling in batch.spellings[number]])
        x = np.concatenate([x, spelled], axis=1)
    of_encoder = {name: value for name, value in parameters.items() if name.startswith("layers.")}
    a = encode(of_encoder, model.network, x, model.hidden, model.directions)
    if model.unit == "text":
        a = _pooled(a, model)[None]
    z = a @ parameters["head.W_y"].T + parameters["head.b_y"]
    e = np.exp(z)
    return np.asarray(e / e.sum(axis=1, keepdims=True) if model.output == "softmax" else e / (1 + e))


def _spelled(parameters: Parameters, model: LabelNetwork, spelling: Array) -> Array:
    own, hidden = of_prefix(parameters, "characters."), model.char_hidden
    table = own.pop("embedding")
    a = encode(own, model.speller, table[spelling], hidden)
    return np.concatenate([a[-1, :hidden], a[0, hidden:]])


def _pooled(a: Array, model: LabelNetwork) -> Array:
    if model.pooling == "last":
        return np.concatenate([a[-1, : model.hidden], a[0, model.hidden :]])
    if model.pooling == "mean":
        return np.asarray(a.sum(axis=0) / len(a))
    return np.asarray(a[a.real.argmax(axis=0), np.arange(a.shape[1])])
