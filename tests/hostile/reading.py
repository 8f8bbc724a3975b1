"""What a file is read with, and what came of it: it is refused, read as it was, or read as something else."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from charlm.checkpoint import load_model, model_bytes
from charlm.errors import ModelError
from charlm.exchange.pytorch import import_state
from charlm.labelling.model import labeler_bytes, load_labeler
from charlm.seal import contents_digest
from charlm.training.run_folder import RunFolder

REFUSED, UNNAMED, SAME, OTHER = "refused", "refused by a message that does not name it", "same", "other"
Reader = Callable[[Path], str]


def read_model(path: Path) -> str:
    """All that a model is, as one text."""
    return hashlib.sha256(model_bytes(load_model(path))).hexdigest()


def read_labeler(path: Path) -> str:
    """All that a tagger or classifier is, as one text."""
    return hashlib.sha256(labeler_bytes(load_labeler(path))).hexdigest()


def read_training(path: Path) -> str:
    """All that the state of a run says, as one text."""
    tensors, numbers = RunFolder(path.parent).load_state()
    return contents_digest(tensors, numbers)


def read_state_dict(path: Path) -> str:
    """All that a model imported from PyTorch is, as one text."""
    return hashlib.sha256(model_bytes(import_state(path).model)).hexdigest()


READERS: dict[str, tuple[str, Reader]] = {
    "model": ("model.safetensors", read_model),
    "training": ("training.safetensors", read_training),
    "tagger": ("model.safetensors", read_labeler),
    "classifier": ("model.safetensors", read_labeler),
    "state dict": ("state.safetensors", read_state_dict),
}
"""What there is to read -> what its file is called, and what reads it."""


def judged(path: Path, reader: Reader, original: str) -> str:
    """What comes of reading a file; whatever is raised but a ModelError is a defect.

    Args:
        path: the file.
        reader: one of ``READERS``.
        original: what it made of the file before it was mutated.
    """
    try:
        found = reader(path)
    except ModelError as error:
        return REFUSED if str(path) in str(error) else UNNAMED
    return SAME if found == original else OTHER
