"""Write `tests/golden/*.safetensors`: small recurrent language models as PyTorch computes them, in float64.

The tests read the files and need no PyTorch. They were made, and with the same versions on the same kind of
machine can be made again to the same bytes, by

    pip install -e '.[bench]'
    python tests/make_golden.py

The model is `nn.Embedding -> nn.RNN | nn.GRU | nn.LSTM -> nn.Linear`; every parameter, every bias and every
initial state is a seeded normal number. The gradients are those of

    mean cross-entropy + sum(upstream * outputs of the top layer)

so that a random gradient enters at every step. Each file holds, in charlm's names and shapes (states are
`[hidden, batch]`, where PyTorch has them transposed):

    parameters.<name>   inputs, targets [T, B]   upstream [T, B, H]   initial.<layer>.hidden|cell
    outputs [T, B, H]   logits [T, B, V]   loss (the cross-entropy alone)   final.<layer>.hidden|cell
    gradients.<name>    gradients.initial.<layer>.hidden|cell

and as metadata `cell`, `layers`, `activation`, `reset` and PyTorch's version, `torch`.

PyTorch's tensors become charlm's so: `weight_ih` is W_gx and `weight_hh` W_ga, the gates one above the other;
the two biases add up to b_g, and the gradient by a sum is that by either part, except in the GRU's candidate,
where `b_in` is b_c and `b_hn`, inside the reset, b_ca; the GRU's z is 1 - u, so W_u = -W_z and b_u = -b_z.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from reference import GOLDEN, STATE_PARTS, Array, Parameters, parameter_shapes
from safetensors.numpy import save
from torch.nn.functional import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VOCABULARY, EMBEDDING, HIDDEN, TIME, BATCH = 11, 4, 6, 5, 3
SCALE = 0.5

# charlm's name of each of PyTorch's gates in PyTorch's order, and the sign it changes by.
TORCH_GATES = {
    "rnn": (("a", 1),),
    "lstm": (("u", 1), ("f", 1), ("c", 1), ("o", 1)),
    "gru": (("r", 1), ("u", -1), ("c", 1)),
}
# cell, activation, reset; an LSTM or GRU has no choice of activation, and only a GRU has a reset.
BLOCKS = (
    ("rnn", "tanh", "before"),
    ("rnn", "relu", "before"),
    ("gru", "tanh", "after"),
    ("lstm", "tanh", "before"),
)


def file_name(cell: str, activation: str, layers: int) -> str:
    """The name of one run's file."""
    return f"{cell}-{activation}-{layers}.safetensors" if cell == "rnn" else f"{cell}-{layers}.safetensors"


def to_charlm(cell: str, layers: int, tensors: Parameters, merge: Callable[[Array, Array], Array]) -> Parameters:
    """PyTorch's tensors, or their gradients, by charlm's names; `merge` makes one bias of two."""
    named = {
        "embedding": tensors["embedding.weight"],
        "head.W_y": tensors["head.weight"],
        "head.b_y": tensors["head.bias"],
    }
    for layer in range(layers):
        for index, (gate, sign) in enumerate(TORCH_GATES[cell]):
            rows = slice(index * HIDDEN, (index + 1) * HIDDEN)
            bias_ih, bias_hh = (tensors[f"recurrent.bias_{side}_l{layer}"][rows] for side in ("ih", "hh"))
            prefix = f"layers.{layer}"
            named[f"{prefix}.W_{gate}x"] = sign * tensors[f"recurrent.weight_ih_l{layer}"][rows]
            named[f"{prefix}.W_{gate}a"] = sign * tensors[f"recurrent.weight_hh_l{layer}"][rows]
            if cell == "gru" and gate == "c":
                named[f"{prefix}.b_c"] = bias_ih
                named[f"{prefix}.b_ca"] = bias_hh
            else:
                named[f"{prefix}.b_{gate}"] = sign * merge(bias_ih, bias_hh)
    return named


def the_same(first: Array, second: Array) -> Array:
    """The gradient by either of two added biases."""
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-14)
    return first


def recurrent_module(cell: str, activation: str, layers: int) -> Any:
    """PyTorch's recurrent layers of this kind, in float64."""
    if cell == "rnn":
        return torch.nn.RNN(EMBEDDING, HIDDEN, layers, nonlinearity=activation, dtype=torch.float64)
    module = torch.nn.GRU if cell == "gru" else torch.nn.LSTM
    return module(EMBEDDING, HIDDEN, layers, dtype=torch.float64)


def by_layer(prefix: str, cell: str, states: list[Any]) -> Parameters:
    """Each of `states`, `[layers, batch, hidden]`, as `<prefix>.<layer>.<part>`, `[hidden, batch]`."""
    return {
        f"{prefix}.{layer}.{part}": value.T
        for part, tensor in zip(STATE_PARTS[cell], states, strict=True)
        for layer, value in enumerate(tensor.detach().numpy())
    }


def make(cell: str, activation: str, reset: str, layers: int, rng: np.random.Generator) -> Parameters:
    """One model run forward and backward by PyTorch: the tensors of one file."""
    modules = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(VOCABULARY, EMBEDDING, dtype=torch.float64),
            "recurrent": recurrent_module(cell, activation, layers),
            "head": torch.nn.Linear(HIDDEN, VOCABULARY, dtype=torch.float64),
        }
    )
    weights = dict(modules.named_parameters())
    with torch.no_grad():
        for weight in weights.values():
            weight.copy_(torch.from_numpy(SCALE * rng.standard_normal(weight.shape)))
    inputs = rng.integers(VOCABULARY, size=(TIME, BATCH))
    targets = rng.integers(VOCABULARY, size=(TIME, BATCH))
    upstream = rng.standard_normal((TIME, BATCH, HIDDEN))
    initial = [
        torch.from_numpy(SCALE * rng.standard_normal((layers, BATCH, HIDDEN))).requires_grad_()
        for _ in STATE_PARTS[cell]
    ]

    embedded = modules["embedding"](torch.from_numpy(inputs))
    if cell == "lstm":
        outputs, final = modules["recurrent"](embedded, tuple(initial))
    else:
        outputs, last = modules["recurrent"](embedded, initial[0])
        final = [last]
    logits = modules["head"](outputs)
    loss = cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
    total = loss + (torch.from_numpy(upstream) * outputs).sum()
    found = torch.autograd.grad(total, [*weights.values(), *initial])

    values = {name: weight.detach().numpy() for name, weight in weights.items()}
    slopes = {name: slope.numpy() for name, slope in zip(weights, found[: len(weights)], strict=True)}
    parameters = to_charlm(cell, layers, values, np.add)
    gradients = to_charlm(cell, layers, slopes, the_same)
    sizes = {"vocabulary": VOCABULARY, "embedding": EMBEDDING, "hidden": HIDDEN}
    names = parameter_shapes(cell, layers, **sizes, reset=reset)
    tensors = {
        **{f"parameters.{name}": parameters[name] for name in names},
        **{f"gradients.{name}": gradients[name] for name in names},
        **by_layer("initial", cell, initial),
        **by_layer("final", cell, list(final)),
        **by_layer("gradients.initial", cell, list(found[len(weights) :])),
        "inputs": inputs,
        "targets": targets,
        "upstream": upstream,
        "outputs": outputs.detach().numpy(),
        "logits": logits.detach().numpy(),
        "loss": loss.detach().numpy(),
    }
    return {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}


def to_bytes(tensors: Parameters, metadata: dict[str, str]) -> bytes:
    """The file's bytes, its metadata sorted: safetensors writes them in an order that changes."""
    data = save(tensors, metadata)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    return data[:8] + json.dumps(header, separators=(",", ":")).encode().ljust(end - 8) + data[end:]


def main(folder: Path = GOLDEN) -> None:
    """Write every file."""
    torch.set_num_threads(1)  # more would change the last bits
    folder.mkdir(exist_ok=True)
    for number, (cell, activation, reset) in enumerate(BLOCKS):
        for layers in (1, 2, 3):
            rng = np.random.default_rng([number, layers])
            metadata = {
                "cell": cell,
                "layers": str(layers),
                "activation": activation,
                "reset": reset,
                "torch": str(torch.__version__),
            }
            tensors = make(cell, activation, reset, layers, rng)
            (folder / file_name(cell, activation, layers)).write_bytes(to_bytes(tensors, metadata))


if __name__ == "__main__":
    main()
