"""The golden files: what PyTorch and ONNX Runtime found, as `make_golden.py` and `make_golden_onnx.py` stored it.

Everything is in charlm's names and shapes. The metadata of a file holds `cell`, `layers` and the cell's options.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from reference_cells import OPTIONS, Array, Network, Parameters, Parts
from reference_derivatives import Gradients
from reference_encoder import DIRECTIONS
from reference_labels import LabelBatch, LabelNetwork
from safetensors import safe_open
from safetensors.numpy import save

if TYPE_CHECKING:
    from reference_model import State

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Golden:
    """One of PyTorch's language models: what went in, and what PyTorch found.

    `gradients` are those of loss + sum(upstream * outputs).
    """

    network: Network
    parameters: Parameters
    inputs: Array  # [time, batch]
    targets: Array  # [time, batch]
    upstream: Array  # [time, batch, hidden]
    initial: State
    final: State
    outputs: Array  # [time, batch, hidden]
    logits: Array  # [time, batch, vocabulary]
    loss: float
    gradients: Gradients


@dataclass(frozen=True)
class GoldenEncoder:
    """One of PyTorch's bidirectional encoders, run on a padded batch.

    The gradients are those of sum(upstream * outputs); there is no loss, and the initial states are zero.
    """

    network: Network
    parameters: Parameters
    x: Array  # [time, batch, features], padded at the end with numbers that must not matter
    lengths: Array  # [batch]
    upstream: Array  # [time, batch, 2 * hidden]
    outputs: Array  # [time, batch, 2 * hidden]
    gradients_parameters: Parameters
    gradients_x: Array  # [time, batch, features]


@dataclass(frozen=True)
class GoldenLabels:
    """One of PyTorch's label models: what went in, and what PyTorch found."""

    model: LabelNetwork
    parameters: Parameters
    batch: LabelBatch
    loss: float
    gradients: Parameters


@dataclass(frozen=True)
class GoldenOperator:
    """One run of an ONNX operator by ONNX Runtime, in single precision: one layer, forward only."""

    network: Network
    parameters: Parameters  # without a prefix
    x: Array  # [time, batch, features]
    initial: Parts  # of [hidden, batch]
    outputs: Array  # [time, batch, hidden]
    final: Parts  # of [hidden, batch]


def load_golden(path: Path) -> Golden:
    """Read one of the language models in `GOLDEN`."""
    network, tensors = _read(path)

    def state(prefix: str) -> State:
        return [tuple(tensors[f"{prefix}.{layer}.{part}"] for part in network.parts) for layer in range(network.layers)]

    names = _parameter_names(tensors)
    return Golden(
        network=network,
        parameters={name: tensors[f"parameters.{name}"] for name in names},
        inputs=tensors["inputs"],
        targets=tensors["targets"],
        upstream=tensors["upstream"],
        initial=state("initial"),
        final=state("final"),
        outputs=tensors["outputs"],
        logits=tensors["logits"],
        loss=float(tensors["loss"]),
        gradients=Gradients({name: tensors[f"gradients.{name}"] for name in names}, state("gradients.initial")),
    )


def load_golden_encoder(path: Path) -> GoldenEncoder:
    """Read one of the `encoder-*` files in `GOLDEN`."""
    network, tensors = _read(path)
    names = _parameter_names(tensors)
    return GoldenEncoder(
        network=network,
        parameters={name: tensors[f"parameters.{name}"] for name in names},
        x=tensors["x"],
        lengths=tensors["lengths"],
        upstream=tensors["upstream"],
        outputs=tensors["outputs"],
        gradients_parameters={name: tensors[f"gradients.{name}"] for name in names},
        gradients_x=tensors["gradients.x"],
    )


def load_golden_labels(path: Path) -> GoldenLabels:
    """Read one of the `labels-*` files in `GOLDEN`."""
    network, tensors = _read(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    parameters = {name: tensors[f"parameters.{name}"] for name in _parameter_names(tensors)}
    directions = DIRECTIONS[: int(metadata["directions"])]
    vocabulary, embedding = parameters["embedding"].shape
    characters, char_embedding = parameters["characters.embedding"].shape
    labels, rows = parameters["head.W_y"].shape
    speller = next(value for name, value in parameters.items() if name.startswith("characters.layers."))
    model = LabelNetwork(
        network,
        directions,
        metadata["unit"],
        metadata["output"],
        metadata["pooling"],
        vocabulary=vocabulary,
        embedding=embedding,
        hidden=rows // len(directions),
        labels=labels,
        characters=characters,
        char_embedding=char_embedding,
        char_hidden=speller.shape[0],
    )
    lanes = tensors["texts"].T
    spellings = [
        [form[form >= 0] for form in forms[text >= 0]]
        for text, forms in zip(lanes, tensors["spellings"].swapaxes(0, 1), strict=True)
    ]
    own = zip(tensors["targets"].T, lanes, strict=True)
    targets = [np.atleast_1d(target)[: np.count_nonzero(text >= 0)] for target, text in own]
    batch = LabelBatch([text[text >= 0] for text in lanes], targets, spellings, tensors["weights"])
    gradients = {name: tensors[f"gradients.{name}"] for name in parameters}
    return GoldenLabels(model, parameters, batch, float(tensors["loss"]), gradients)


def load_golden_onnx(path: Path) -> GoldenOperator:
    """Read one of the `onnx-*` files in `GOLDEN`."""
    network, tensors = _read(path)
    return GoldenOperator(
        network=network,
        parameters={name: tensors[f"parameters.{name}"] for name in _parameter_names(tensors)},
        x=tensors["x"],
        initial=tuple(tensors[f"initial.{part}"] for part in network.parts),
        outputs=tensors["outputs"],
        final=tuple(tensors[f"final.{part}"] for part in network.parts),
    )


def to_bytes(tensors: Parameters, metadata: dict[str, str]) -> bytes:
    """A file's bytes, its metadata sorted: safetensors writes them in an order that changes."""
    data = save(tensors, metadata)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    return data[:8] + json.dumps(header, separators=(",", ":")).encode().ljust(end - 8) + data[end:]


def _read(path: Path) -> tuple[Network, Parameters]:
    """What the network is, and every tensor of the file."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        tensors: Parameters = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    cell = metadata["cell"]
    options = {name: metadata[name] for name in OPTIONS.get(cell, ())}
    return Network(cell, int(metadata["layers"]), options), tensors


def _parameter_names(tensors: Parameters) -> list[str]:
    return [name.removeprefix("parameters.") for name in tensors if name.startswith("parameters.")]
