"""What a label model takes over from a language model: the embedding, and the direction that reads forward.

A language model has learned to read forward. Its head is of no use, and there is nothing in it for the direction that
reads from the end, nor for what reads that direction's output: this begins as it was drawn, the latter small, so that
what was learned is not drowned at first. Texts start in zeros, also where the language model has learned another start.
"""

from charlm.config import ModelConfig
from charlm.errors import UsageError
from charlm.nn.arrays import Views
from charlm.nn.encoder import DIRECTIONS
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.parameters import below
from charlm.nn.registry import block_options

SMALL = 0.1
"""How much is left of drawn weights on inputs that the language model does not have."""


def check_transfer(config: LabelModelConfig, theirs: ModelConfig) -> None:
    """Check that a label model of this shape can begin with the weights of such a language model.

    Raises:
        UsageError: it cannot; the message names all that differs.
    """
    names = {"cell": "--cell", "layers": "--layers", "hidden": "--hidden", "embedding": "--embedding"}
    differing = [
        f"{option} {getattr(theirs, name)}, not {getattr(config, name)}"
        for name, option in names.items()
        if getattr(theirs, name) != getattr(config, name)
    ]
    if theirs.cell == config.cell:
        mine = block_options(config.cell, config.options)
        options = block_options(theirs.cell, theirs.options)
        differing += [f"--{name} {value}, not {mine[name]}" for name, value in options.items() if value != mine[name]]
    if theirs.residual != config.residual:
        differing.append("--residual" if theirs.residual else "no --residual")
    if theirs.vocabulary > config.vocabulary:
        differing.append(f"{theirs.vocabulary} tokens, not {config.vocabulary}")
    if differing:
        raise UsageError(f"the language model has {'; '.join(differing)}: give what starts from it the same")


def take_over(views: Views, theirs: Views, vocabulary: int) -> None:
    """Write a language model's parameters into those of a label model, which have been drawn.

    Args:
        views: the label model's parameters; they fit, as ``check_transfer`` knows.
        theirs: the language model's.
        vocabulary: tokens that it has; what else its embedding holds is of labels.
    """
    views["embedding"][:vocabulary] = theirs["embedding"][:vocabulary]
    layers = {name.split(".")[1] for name in theirs if name.startswith("layers.")}
    for k in layers:
        learned = below(theirs, f"layers.{k}.")
        for name, view in below(views, f"layers.{k}.{DIRECTIONS[0]}.").items():
            if name not in learned:
                continue  # such as an SRU's projection of an input that is wider than the language model's
            value = learned[name]
            if value.shape == view.shape:
                view[...] = value
            else:
                # Columns on what stands below the language model's input: the backward direction, or spellings.
                view[:, value.shape[1] :] *= SMALL
                view[:, : value.shape[1]] = value
