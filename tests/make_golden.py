"""Write `tests/golden/*.safetensors`: small recurrent networks as PyTorch computes them, in float64.

The tests read the files and need no PyTorch. They were made, and with the same versions on the same kind of
machine can be made again to the same bytes, by

    pip install -e '.[parity]'
    python tests/make_golden.py

Every parameter and every bias is a seeded normal number, and so is every initial state of a language model.

The language models are `nn.Embedding -> nn.RNN | nn.GRU | nn.LSTM -> nn.Linear`. The gradients are those of

    mean cross-entropy + sum(upstream * outputs of the top layer)

so that a random gradient enters at every step. Each file holds, in charlm's names and shapes (states are
`[hidden, batch]`, where PyTorch has them transposed):

    parameters.<name>   inputs, targets [T, B]   upstream [T, B, H]   initial.<layer>.hidden|cell
    outputs [T, B, H]   logits [T, B, V]   loss (the cross-entropy alone)   final.<layer>.hidden|cell
    gradients.<name>    gradients.initial.<layer>.hidden|cell

and as metadata `cell`, `layers`, `activation`, `reset` and PyTorch's version, `torch`.

The encoders, `encoder-<cell>-<layers>`, are the same modules with `bidirectional=True` on a packed batch of
unequal lengths, their initial states zero, and the gradients those of sum(upstream * outputs):

    parameters.<name>   x [T, B, X]   lengths [B]   outputs [T, B, 2H]   upstream [T, B, 2H]
    gradients.<name>   gradients.x

PyTorch's tensors become charlm's so: `weight_ih` is W_gx and `weight_hh` W_ga, the gates one above the other;
the two biases add up to b_g, and the gradient by a sum is that by either part, except in the GRU's candidate,
where `b_in` is b_c and `b_hn`, inside the reset, b_ca; the GRU's z is 1 - u, so W_u = -W_z and b_u = -b_z.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from reference import (
    DIRECTIONS,
    GOLDEN,
    STATE_PARTS,
    Array,
    Network,
    Parameters,
    encoder_shapes,
    parameter_shapes,
    to_bytes,
)
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCALE = 0.5


class Sizes(NamedTuple):
    """Of a language model, its window, and its weights; those of the stored files."""

    vocabulary: int = 11
    embedding: int = 4
    hidden: int = 6
    time: int = 5
    batch: int = 3
    scale: float = SCALE


class EncoderSizes(NamedTuple):
    """Of an encoder, its texts, and its weights; those of the stored files."""

    input_size: int = 4
    hidden: int = 5
    time: int = 6
    lengths: tuple[int, ...] = (4, 6, 1)
    scale: float = SCALE


# charlm's name of each of PyTorch's gates in PyTorch's order, and the sign it changes by.
TORCH_GATES = {
    "rnn": (("a", 1),),
    "lstm": (("u", 1), ("f", 1), ("c", 1), ("o", 1)),
    "gru": (("r", 1), ("u", -1), ("c", 1)),
}

# An LSTM or GRU has no choice of activation, and PyTorch's GRU resets after the product.
BLOCKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("rnn", {"activation": "tanh"}),
    ("rnn", {"activation": "relu"}),
    ("gru", {"reset": "after"}),
    ("lstm", {}),
)
ENCODER_BLOCKS = (BLOCKS[0], BLOCKS[2], BLOCKS[3])
DEPTHS = (1, 2, 3)


def file_name(network: Network) -> str:
    """The name of one language model's file."""
    kind = f"rnn-{network.option('activation')}" if network.cell == "rnn" else network.cell
    return f"{kind}-{network.layers}.safetensors"


def to_charlm(cell: str, tensors: Parameters, suffix: str, merge: Callable[[Array, Array], Array]) -> Parameters:
    """One layer's tensors, or their gradients, by charlm's names; `merge` makes one bias of two."""
    named = {}
    hidden = tensors[f"weight_hh_{suffix}"].shape[1]
    for index, (gate, sign) in enumerate(TORCH_GATES[cell]):
        rows = slice(index * hidden, (index + 1) * hidden)
        bias_ih, bias_hh = (tensors[f"bias_{side}_{suffix}"][rows] for side in ("ih", "hh"))
        named[f"W_{gate}x"] = sign * tensors[f"weight_ih_{suffix}"][rows]
        named[f"W_{gate}a"] = sign * tensors[f"weight_hh_{suffix}"][rows]
        if cell == "gru" and gate == "c":
            named["b_c"] = bias_ih
            named["b_ca"] = bias_hh
        else:
            named[f"b_{gate}"] = sign * merge(bias_ih, bias_hh)
    return named


def model_to_charlm(network: Network, tensors: Parameters, merge: Callable[[Array, Array], Array]) -> Parameters:
    """A language model's tensors, or their gradients, by charlm's names."""
    named = {
        "embedding": tensors["embedding.weight"],
        "head.W_y": tensors["head.weight"],
        "head.b_y": tensors["head.bias"],
    }
    recurrent = {name.removeprefix("recurrent."): tensor for name, tensor in tensors.items()}
    for layer in range(network.layers):
        for name, tensor in to_charlm(network.cell, recurrent, f"l{layer}", merge).items():
            named[f"layers.{layer}.{name}"] = tensor
    return named


def encoder_to_charlm(network: Network, tensors: Parameters, merge: Callable[[Array, Array], Array]) -> Parameters:
    """An encoder's tensors, or their gradients, by charlm's names."""
    return {
        f"layers.{layer}.{direction}.{name}": tensor
        for layer in range(network.layers)
        for direction, suffix in zip(DIRECTIONS, (f"l{layer}", f"l{layer}_reverse"), strict=True)
        for name, tensor in to_charlm(network.cell, tensors, suffix, merge).items()
    }


def the_same(first: Array, second: Array) -> Array:
    """The gradient by either of two added biases."""
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-14)
    return first


def recurrent_module(network: Network, input_size: int, hidden: int, *, bidirectional: bool = False) -> Any:
    """PyTorch's recurrent layers of this kind, in float64."""
    settings = {"bidirectional": bidirectional, "dtype": torch.float64}
    if network.cell == "rnn":
        settings["nonlinearity"] = network.option("activation")
    module = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[network.cell]
    return module(input_size, hidden, network.layers, **settings)


def draw(weights: dict[str, Any], rng: np.random.Generator, scale: float) -> None:
    """Put normal numbers into every weight."""
    with torch.no_grad():
        for weight in weights.values():
            weight.copy_(torch.from_numpy(scale * rng.standard_normal(weight.shape)))


def draw_states(cell: str, shape: tuple[int, ...], rng: np.random.Generator) -> list[Any]:
    """Initial states, each `[layers, batch, hidden]`."""
    return [torch.from_numpy(SCALE * rng.standard_normal(shape)).requires_grad_() for _ in STATE_PARTS[cell]]


def apply(recurrent: Any, inputs: Any, initial: list[Any]) -> tuple[Any, list[Any]]:
    """The module's outputs and its final states: PyTorch takes and gives a pair only for an LSTM."""
    if len(initial) == 1:
        outputs, last = recurrent(inputs, initial[0])
        return outputs, [last]
    outputs, final = recurrent(inputs, tuple(initial))
    return outputs, list(final)


def by_layer(prefix: str, cell: str, states: list[Any]) -> Parameters:
    """Each of `states`, `[layers, batch, hidden]`, as `<prefix>.<layer>.<part>`, `[hidden, batch]`."""
    return {
        f"{prefix}.{layer}.{part}": value.T
        for part, tensor in zip(STATE_PARTS[cell], states, strict=True)
        for layer, value in enumerate(tensor.detach().numpy())
    }


def make_model(network: Network, rng: np.random.Generator, sizes: Sizes) -> Parameters:
    """One language model run forward and backward by PyTorch: the tensors of one file."""
    cell, (vocabulary, embedding, hidden, time, batch, scale) = network.cell, sizes
    modules = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(vocabulary, embedding, dtype=torch.float64),
            "recurrent": recurrent_module(network, embedding, hidden),
            "head": torch.nn.Linear(hidden, vocabulary, dtype=torch.float64),
        }
    )
    weights = dict(modules.named_parameters())
    draw(weights, rng, scale)
    inputs = rng.integers(vocabulary, size=(time, batch))
    targets = rng.integers(vocabulary, size=(time, batch))
    upstream = rng.standard_normal((time, batch, hidden))
    initial = draw_states(cell, (network.layers, batch, hidden), rng)

    embedded = modules["embedding"](torch.from_numpy(inputs))
    outputs, final = apply(modules["recurrent"], embedded, initial)
    logits = modules["head"](outputs)
    loss = cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
    total = loss + (torch.from_numpy(upstream) * outputs).sum()
    found = torch.autograd.grad(total, [*weights.values(), *initial])

    values = {name: weight.detach().numpy() for name, weight in weights.items()}
    slopes = {name: slope.numpy() for name, slope in zip(weights, found[: len(weights)], strict=True)}
    parameters = model_to_charlm(network, values, np.add)
    gradients = model_to_charlm(network, slopes, the_same)
    names = parameter_shapes(network, vocabulary=vocabulary, embedding=embedding, hidden=hidden)
    return {
        **{f"parameters.{name}": parameters[name] for name in names},
        **{f"gradients.{name}": gradients[name] for name in names},
        **by_layer("initial", cell, initial),
        **by_layer("final", cell, final),
        **by_layer("gradients.initial", cell, list(found[len(weights) :])),
        "inputs": inputs,
        "targets": targets,
        "upstream": upstream,
        "outputs": outputs.detach().numpy(),
        "logits": logits.detach().numpy(),
        "loss": loss.detach().numpy(),
    }


def make_encoder(network: Network, rng: np.random.Generator, sizes: EncoderSizes) -> Parameters:
    """One encoder run forward and backward by PyTorch: the tensors of one file."""
    input_size, hidden, time, lengths, scale = sizes
    batch = len(lengths)
    encoder = recurrent_module(network, input_size, hidden, bidirectional=True)
    weights = dict(encoder.named_parameters())
    draw(weights, rng, scale)
    x = torch.from_numpy(rng.standard_normal((time, batch, input_size))).requires_grad_()
    upstream = rng.standard_normal((time, batch, 2 * hidden))

    packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    outputs, unpacked_lengths = pad_packed_sequence(encoder(packed)[0])
    total = (torch.from_numpy(upstream) * outputs).sum()
    found = torch.autograd.grad(total, [*weights.values(), x])

    values = {name: weight.detach().numpy() for name, weight in weights.items()}
    slopes = {name: slope.numpy() for name, slope in zip(weights, found[: len(weights)], strict=True)}
    parameters = encoder_to_charlm(network, values, np.add)
    gradients = encoder_to_charlm(network, slopes, the_same)
    names = encoder_shapes(network, input_size=input_size, hidden=hidden)
    return {
        **{f"parameters.{name}": parameters[name] for name in names},
        **{f"gradients.{name}": gradients[name] for name in names},
        "x": x.detach().numpy(),
        "lengths": unpacked_lengths.numpy(),
        "upstream": upstream,
        "outputs": outputs.detach().numpy(),
        "gradients.x": found[len(weights)].numpy(),
    }


def write(path: Path, network: Network, tensors: Parameters) -> None:
    """One file with its metadata."""
    metadata = {
        "cell": network.cell,
        "layers": str(network.layers),
        "activation": "tanh",
        "reset": "before",
        **network.options,
        "torch": str(torch.__version__),
    }
    path.write_bytes(to_bytes({name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}, metadata))


def main(folder: Path = GOLDEN) -> None:
    """Write every file."""
    torch.set_num_threads(1)  # more would change the last bits
    folder.mkdir(exist_ok=True)
    for number, (cell, options) in enumerate(BLOCKS):
        for layers in DEPTHS:
            network = Network(cell, layers, options)
            tensors = make_model(network, np.random.default_rng([number, layers]), Sizes())
            write(folder / file_name(network), network, tensors)
    for number, (cell, options) in enumerate(ENCODER_BLOCKS, start=len(BLOCKS)):
        for layers in DEPTHS:
            network = Network(cell, layers, options)
            tensors = make_encoder(network, np.random.default_rng([number, layers]), EncoderSizes())
            write(folder / f"encoder-{cell}-{layers}.safetensors", network, tensors)


if __name__ == "__main__":
    main()
