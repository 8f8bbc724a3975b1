"""The tensors of a model as PyTorch names them and lays them out, and back.

The module that they belong to has

    embedding = nn.Embedding(V, E)
    recurrent = nn.LSTM(E, H, layers)                  # or nn.GRU, or nn.RNN
    head = nn.Linear(H, V)                             # or nn.AdaptiveLogSoftmaxWithLoss
    initial = nn.ParameterDict(hidden=..., cell=...)   # each [layers, 1, H]; only where it is learned

and is written down by ``charlm.exchange.loader``.
"""

from dataclasses import replace

import numpy as np

from charlm.config import ModelConfig
from charlm.errors import ModelError
from charlm.exchange.gates import conversion_of, from_module, tensor_names, to_module
from charlm.exchange.state_file import Shape
from charlm.nn.arrays import Array, Views
from charlm.nn.heads.adaptive import cutoffs
from charlm.nn.language_model import LanguageModel, head_name, head_views, make_head
from charlm.nn.parameters import below
from charlm.nn.stack import Stack


def state_dict(network: LanguageModel) -> dict[str, Array]:
    """The tensors of a model by the names that they have in PyTorch.

    Raises:
        ModelError: no module of PyTorch computes the model.
    """
    config, views = network.config, network.parameters.views
    conversion = conversion_of(config)
    found = {"embedding.weight": views["embedding"]}
    for k in range(config.layers):
        layer = to_module(conversion, below(views, f"layers.{k}."), k)
        found |= {f"recurrent.{name}": tensor for name, tensor in layer.items()}
    for part in learned_parts(config):
        states = [views[f"layers.{k}.initial_{part}"] for k in range(config.layers)]
        found[f"initial.{part}"] = np.stack(states)[:, None]
    head = head_views(config, views)
    return found | {theirs: head[name] for name, theirs in _head_names(config).items()}


def state_shapes(config: ModelConfig) -> dict[str, Shape]:
    """The shape of every tensor that ``state_dict`` gives for such a model.

    Raises:
        ModelError: no module of PyTorch computes the model.
    """
    V, E, H = config.vocabulary, config.embedding, config.hidden
    rows = len(conversion_of(config).gates) * H
    found: dict[str, Shape] = {"embedding.weight": (V, E)}
    for k in range(config.layers):
        shapes: tuple[Shape, ...] = ((rows, H if k else E), (rows, H), (rows,), (rows,))
        found |= {f"recurrent.{name}": shape for name, shape in zip(tensor_names(k), shapes, strict=True)}
    found |= {f"initial.{part}": (config.layers, 1, H) for part in learned_parts(config)}
    head = {spec.name: spec.shape for spec in make_head(config).parameter_specs()}
    # What is tied is no parameter of the head's own, but has the shape of its matrix.
    return found | {theirs: head.get(name, (V, H)) for name, theirs in _head_names(config).items()}


def network_of(tensors: Views, config: ModelConfig) -> LanguageModel:
    """The model whose ``state_dict`` has these tensors; they have the shapes of ``state_shapes``.

    Raises:
        ModelError: gates that have the same weights in charlm have not, or embedding and head that are tied.
    """
    if config.tied and not np.array_equal(tensors["embedding.weight"], tensors["head.weight"]):
        raise ModelError(
            "embedding.weight and head.weight differ, but the model ties them: import it with --like MODEL, a model "
            "without --tied with the same cell, sizes and vocabulary"
        )
    network, conversion = LanguageModel(config), conversion_of(config)
    found = {"embedding": tensors["embedding.weight"]}
    found |= {head_name(config, name): tensors[theirs] for name, theirs in _head_names(config).items()}
    for k in range(config.layers):
        layer = from_module(conversion, below(dict(tensors), "recurrent."), k)
        found |= {f"layers.{k}.{name}": tensor for name, tensor in layer.items()}
        found |= {f"layers.{k}.initial_{part}": tensors[f"initial.{part}"][k, 0] for part in learned_parts(config)}
    for name, view in network.parameters.views.items():
        view[...] = found[name]
    return network


def _head_names(config: ModelConfig) -> dict[str, str]:
    """The parameters of the head -> what they are called in the module."""
    if config.softmax == "full":
        return {"W_y": "head.weight", "b_y": "head.bias"}
    found = {"W_y": "head.head.weight", "b_y": "head.head.bias"}
    for k in range(len(cutoffs(config.vocabulary))):
        found |= {f"tails.{k}.W_p": f"head.tail.{k}.0.weight", f"tails.{k}.W_y": f"head.tail.{k}.1.weight"}
    return found


def learned_parts(config: ModelConfig) -> tuple[str, ...]:
    """The parts of the state that begin as parameters."""
    return Stack(replace(config, layers=1)).blocks[0].state_names if config.initial == "learned" else ()
