"""What a run is about, seen from the run: what is trained, and the file that it becomes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from charlm.files import Tensors
from charlm.nn.arrays import Views
from charlm.training.work import Work


class Saved(NamedTuple):
    """What a model's file holds.

    Attributes:
        weights: the parameters.
        described: what ``Subject.to_json`` gives of such a model.
        record: how it came to be.
    """

    weights: Views
    described: dict[str, Any]
    record: Mapping[str, Any]


class Subject(ABC):
    """A kind of model made of certain texts.

    Attributes:
        work: what the trainer trains.
    """

    work: Work

    @abstractmethod
    def begun_weights(self) -> Views:
        """The parameters that the run began with."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """All that decides the run besides its texts and how it is trained, as a JSON object."""

    @abstractmethod
    def file_bytes(self, record: Mapping[str, Any]) -> bytes:
        """The model's file, with its present weights.

        Raises:
            OutputError: a weight is not finite.
        """

    @abstractmethod
    def read(self, file: Path) -> Saved:
        """Read a model's file of this kind.

        Raises:
            ModelError: it is missing, damaged, or of another kind.
        """

    @abstractmethod
    def constants(self) -> Tensors:
        """What continuing needs besides the trainer's state."""
