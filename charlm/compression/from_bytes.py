"""Bytes in memory, compressed by a model and back."""

from collections.abc import Callable, Mapping
from typing import Any

from charlm.checkpoint import TrainedModel
from charlm.compression.basis import NOT_ADAPTED, Basis, adaptation_of, basis_of
from charlm.compression.compressing import compress, decompress
from charlm.compression.container import check_whole
from charlm.prediction.build import NOTHING, Beside
from charlm.prediction.config import Adaptation

_NAME = "the data"


def compressed(model: TrainedModel, data: bytes, how: Adaptation = NOT_ADAPTED, beside: Beside = NOTHING) -> bytes:
    """The bytes of the file that ``charlm compress`` makes of a file of these bytes.

    Args:
        model: under its label where it has labels.
        data: any bytes.
        how: what is to be done to the model's probabilities.
        beside: the models that are named there.

    Raises:
        UsageError: the model needs a label, or what stands beside it does not fit it.
    """
    parts: list[bytes] = []
    compress([data], parts.append, basis_of(model, how, beside))
    return b"".join(parts)


def decompressed(model: TrainedModel, data: bytes, opened: Callable[[Adaptation], Beside]) -> bytes:
    """The bytes that ``compressed`` made these of.

    Args:
        model: likewise.
        data: what it gave.
        opened: gives the models that are named by what was done to the model's probabilities.

    Raises:
        InputError: they are damaged, or were not made by it.
        ModelError: they were made with another model, or where the same one computes other bits.
        UsageError: the model needs a label.
    """
    check_whole(_NAME, [data])
    parts: list[bytes] = []

    def basis_with(about: Mapping[str, Any]) -> Basis:
        how = adaptation_of(_NAME, about)
        return basis_of(model, how, opened(how))

    decompress(_NAME, [data], parts.append, basis_with)
    return b"".join(parts)
