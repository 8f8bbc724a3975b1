"""Write `tests/golden/labels-*.safetensors`: small label models as PyTorch computes them, in float64.

    nn.Embedding [; the final states of a bidirectional module over each token's characters]
    -> nn.RNN | nn.GRU | nn.LSTM on packed texts -> outputs, or final states, mean or max -> nn.Linear
    -> nn.CrossEntropyLoss(weight, ignore_index=-1) | nn.BCEWithLogitsLoss, a target's labels summed, weighted mean

`make_golden.py` says how they are made again and how PyTorch's tensors become charlm's. Each file holds

    parameters.<name>   gradients.<name>   loss   weights [K]
    texts [T, B], -1 behind each   spellings [T, B, C], likewise   targets [T, B] or [B], -1 is not counted

and as metadata also `unit`, `output`, `pooling` and `directions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from make_golden import BLOCKS, draw, recurrent_module, the_same, to_charlm
from reference import DIRECTIONS, GOLDEN, Array, LabelNetwork, Network, Parameters, label_shapes, to_bytes
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SCALE = 0.5
LENGTHS = (4, 6, 1)
WHERE = {"token": ("token", "last"), "last": ("text", "last"), "mean": ("text", "mean"), "max": ("text", "max")}


def by_charlms_names(model: LabelNetwork, tensors: Parameters, merge: Callable[[Array, Array], Array]) -> Parameters:
    """A label model's tensors, or their gradients."""
    named = {"embedding": tensors["embedding.weight"], "characters.embedding": tensors["characters.weight"]}
    named |= {"head.W_y": tensors["head.weight"], "head.b_y": tensors["head.bias"]}
    encoders = (("", "recurrent.", model.network.layers, model.directions), ("characters.", "speller.", 1, DIRECTIONS))
    for prefix, theirs, layers, directions in encoders:
        own = {name.removeprefix(theirs): tensor for name, tensor in tensors.items() if name.startswith(theirs)}
        for layer in range(layers):
            for direction in directions:
                suffix = f"l{layer}" if direction == "forward" else f"l{layer}_reverse"
                for name, tensor in to_charlm(model.network.cell, own, suffix, merge).items():
                    named[f"{prefix}layers.{layer}.{direction}.{name}"] = tensor
    return named


def run_packed(recurrent: Any, x: Any, lengths: Sequence[int]) -> tuple[Any, Any]:
    """The module's outputs [T, B, rows], and the hidden states after each direction's last token, side by side."""
    packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    outputs, final = recurrent(packed)
    hidden = final[0] if isinstance(final, tuple) else final
    top = hidden[-2:] if recurrent.bidirectional else hidden[-1:]
    return pad_packed_sequence(outputs)[0], torch.cat(list(top), dim=1)


def loss_of(model: LabelNetwork, logits: Any, targets: Array, weights: Array) -> Any:
    """Of logits [..., K] and as many targets."""
    z, wanted, weight = logits.flatten(0, -2), torch.from_numpy(targets.reshape(-1)), torch.from_numpy(weights)
    if model.output == "softmax":
        return torch.nn.CrossEntropyLoss(weight=weight, ignore_index=-1)(z, wanted)
    counted = wanted >= 0
    labels = torch.nn.functional.one_hot(wanted[counted], model.labels).double()
    each = weight[wanted[counted]][:, None]
    total = torch.nn.BCEWithLogitsLoss(weight=each, reduction="sum")(z[counted], labels)
    return total / each.sum()


def make_labels(
    model: LabelNetwork, rng: np.random.Generator, lengths: tuple[int, ...] = LENGTHS, scale: float = SCALE
) -> Parameters:
    """One label model run forward and backward by PyTorch: the tensors of one file."""
    time, batch, longest = max(lengths), len(lengths), 4
    size = model.embedding + 2 * model.char_hidden
    modules = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(model.vocabulary, model.embedding, dtype=torch.float64),
            "characters": torch.nn.Embedding(model.characters, model.char_embedding, dtype=torch.float64),
            "speller": recurrent_module(model.speller, model.char_embedding, model.char_hidden, bidirectional=True),
            "recurrent": recurrent_module(
                model.network, size, model.hidden, bidirectional=len(model.directions) == len(DIRECTIONS)
            ),
            "head": torch.nn.Linear(model.hidden * len(model.directions), model.labels, dtype=torch.float64),
        }
    )
    parameters = dict(modules.named_parameters())
    draw(parameters, rng, scale)
    inside = np.arange(time)[:, None] < np.array(lengths)
    texts = np.where(inside, rng.integers(model.vocabulary, size=(time, batch)), -1)
    spelled = rng.integers(1, longest + 1, size=(time, batch))
    spellings = rng.integers(model.characters, size=(time, batch, longest))
    spellings[np.arange(longest) >= spelled[..., None]] = -1
    spellings[~inside] = -1
    targets = rng.integers(model.labels, size=(time, batch))
    targets[~inside] = targets[0, 1] = -1
    targets = targets if model.unit == "token" else targets[0]
    weights = rng.uniform(0.5, 2, model.labels)

    forms = torch.from_numpy(spellings[inside]).clamp(min=0).T
    _, vectors = run_packed(modules["speller"], modules["characters"](forms), spelled[inside].tolist())
    below = torch.zeros(time, batch, 2 * model.char_hidden, dtype=torch.float64)
    below = below.masked_scatter(torch.from_numpy(inside)[..., None], vectors)
    above = modules["embedding"](torch.from_numpy(texts).clamp(min=0))
    outputs, last = run_packed(modules["recurrent"], torch.cat([above, below], dim=2), lengths)
    pooled = {
        "token": outputs,
        "last": last,
        "mean": outputs.sum(dim=0) / torch.tensor(lengths)[:, None],
        "max": outputs.masked_fill(~torch.from_numpy(inside)[..., None], -torch.inf).max(dim=0).values,
    }
    read = pooled["token" if model.unit == "token" else model.pooling]
    loss = loss_of(model, modules["head"](read), targets, weights)
    found = torch.autograd.grad(loss, list(parameters.values()))

    values = {name: weight.detach().numpy() for name, weight in parameters.items()}
    slopes = {name: slope.numpy() for name, slope in zip(parameters, found, strict=True)}
    ours, gradients = by_charlms_names(model, values, np.add), by_charlms_names(model, slopes, the_same)
    return {
        **{f"parameters.{name}": ours[name] for name in label_shapes(model)},
        **{f"gradients.{name}": gradients[name] for name in label_shapes(model)},
        "texts": texts,
        "spellings": spellings,
        "targets": targets,
        "weights": weights,
        "loss": loss.detach().numpy(),
    }


def write_labels(path: Path, model: LabelNetwork, tensors: Parameters) -> None:
    """One file with its metadata."""
    metadata = {
        "cell": model.network.cell,
        "layers": str(model.network.layers),
        **model.network.options,
        "unit": model.unit,
        "output": model.output,
        "pooling": model.pooling,
        "directions": str(len(model.directions)),
        "torch": str(torch.__version__),
    }
    path.write_bytes(to_bytes({name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}, metadata))


def stored() -> dict[str, LabelNetwork]:
    """What is stored by name: each head, on blocks, depths and directions in turn."""
    found = {}
    for number, (where, output) in enumerate((w, o) for w in WHERE for o in ("softmax", "sigmoid")):
        cell, options = BLOCKS[number % len(BLOCKS)]
        directions = DIRECTIONS if number < 2 or number % 3 else DIRECTIONS[:1]
        network = Network(cell, 1 + number % 2, options)
        unit, pooling = WHERE[where]
        found[f"labels-{where}-{output}"] = LabelNetwork(
            network, directions, unit, output, pooling, vocabulary=9, hidden=4, labels=3, characters=5, char_hidden=4
        )
    return found


def main(folder: Path = GOLDEN) -> None:
    """Write every file."""
    torch.set_num_threads(1)  # more would change the last bits
    for number, (name, model) in enumerate(stored().items()):
        write_labels(folder / f"{name}.safetensors", model, make_labels(model, np.random.default_rng([9, number])))


if __name__ == "__main__":
    main()
