"""Refusing regularisation that a network has no place for."""

from collections.abc import Mapping

from charlm.errors import UsageError
from charlm.nn.registry import make_block
from charlm.train_config import TrainConfig


def check_regularization(train: TrainConfig, cell: str, options: Mapping[str, str], *, head: str) -> None:
    """Refuse what makes no sense of how a model is trained, seen from what is trained.

    Args:
        train: how.
        cell: a name in the registry of blocks.
        options: of the cell.
        head: what the network ends in: full, adaptive, softmax or sigmoid.

    Raises:
        UsageError: the block has no recurrent weights that could be dropped, or the head no targets to smooth.
    """
    if train.dropout_recurrent and not make_block(cell, 1, 1, options).recurrent:
        raise UsageError(
            f"--dropout-recurrent drops weights between a step and the next, and {cell} has no matrix there: leave it "
            "out, or choose another --cell"
        )
    if train.label_smoothing and head == "adaptive":
        raise UsageError(
            "--label-smoothing needs --softmax full: an adaptive one is fast since it leaves out the clusters that a "
            "step's token is not in, and smoothed targets are in all of them. Leave out one"
        )
    if train.label_smoothing and head == "sigmoid":
        raise UsageError(
            "--label-smoothing needs --output softmax: a sigmoid judges each label by itself, and there is no share of "
            "a target to give to the others. Leave out one"
        )
