"""Which models the names and shapes of tensors fit: what to say of a file whose tensors are not those of its model.

Several kinds may have the same tensors, such as the RNN with tanh and with ReLU; then all of them are found.
"""

from collections.abc import Mapping
from dataclasses import replace

from charlm.config import INITIAL_STATES, ModelConfig
from charlm.errors import UsageError
from charlm.nn.language_model import parameter_specs
from charlm.nn.registry import block_options, every_kind

Shapes = Mapping[str, tuple[int, ...]]
SIZES = ("vocabulary", "labels", "embedding", "layers", "hidden")


def kind_name(cell: str, options: Mapping[str, str]) -> str:
    """A block with its options, in words: "gru with reset after"."""
    chosen = " and ".join(f"{option} {value}" for option, value in options.items())
    return f"{cell} with {chosen}" if chosen else cell


def fitting(shapes: Shapes, config: ModelConfig) -> list[ModelConfig]:
    """Every configuration, of any block in the registry, whose parameters have exactly these names and shapes.

    Args:
        shapes: name -> shape of each parameter.
        config: what the tensors do not show, such as residual connections, is taken from here.
    """
    try:
        sized = _sized(shapes, config)
    except (KeyError, ValueError, UsageError):
        return []  # no tensors of a language model
    kinds = [
        replace(sized, cell=cell, options=options, initial=initial)
        for cell, options in every_kind()
        for initial in INITIAL_STATES
    ]
    return [kind for kind in kinds if {spec.name: spec.shape for spec in parameter_specs(kind)} == dict(shapes)]


def fitting_text(shapes: Shapes, config: ModelConfig) -> str:
    """What the tensors fit instead of ``config``, in words; nothing where they fit nothing, or ``config`` itself."""
    found = fitting(shapes, config)
    if not found or replace(config, options=block_options(config.cell, config.options)) in found:
        return ""
    return "its tensors fit " + ", or ".join(_described(each, config) for each in found)


def _sized(shapes: Shapes, config: ModelConfig) -> ModelConfig:
    """``config`` with the sizes of a model that has such tensors.

    Raises:
        KeyError: they lack its embedding or its head.
        ValueError: these are no matrices, or a layer has no number.
        UsageError: no model has such sizes.
    """
    rows, embedding = shapes["embedding"]
    # What is tied has no matrix of its own in the head.
    _, hidden = shapes.get("head.W_y", shapes["embedding"])
    numbers = [int(name.split(".")[1]) for name in shapes if name.startswith("layers.")]
    layers = 1 + max(numbers)
    tied = "head.W_y" not in shapes
    softmax = "adaptive" if any(name.startswith("head.tails.") for name in shapes) else "full"
    # What a full softmax has of each token tells tokens from labels; without it those are as many as they should be.
    (vocabulary,) = shapes["head.b_y"] if softmax == "full" else (rows - config.labels,)
    return replace(
        config,
        vocabulary=vocabulary,
        embedding=embedding,
        layers=layers,
        hidden=hidden,
        tied=tied,
        softmax=softmax,
        labels=rows - vocabulary,
    )


def _described(found: ModelConfig, config: ModelConfig) -> str:
    """What tells ``found`` from ``config``; its kind in any case."""
    other = [f"{size} {getattr(found, size)}" for size in SIZES if getattr(found, size) != getattr(config, size)]
    if found.initial != config.initial:
        other.append(f"initial state {found.initial}")
    if found.tied != config.tied:
        other.append("tied" if found.tied else "not tied")
    if found.softmax != config.softmax:
        other.append(f"{found.softmax} softmax")
    return ", ".join([f"cell {kind_name(found.cell, found.options)}", *other])
