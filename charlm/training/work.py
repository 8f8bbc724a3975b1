"""What a trainer trains, seen from the trainer: a network, the windows it learns from, and what validates it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from charlm.nn.arrays import Array
from charlm.nn.parameters import Parameters
from charlm.nn.regularization import Regularization
from charlm.scoring import Cost


class Network(Protocol):
    """What every network has for a trainer."""

    parameters: Parameters


class Work(ABC):
    """A network with an endless sequence of training windows and a part that validates it.

    Attributes:
        network: what is trained; its parameters change.
        step_tokens: tokens of a window.
        window_share: length of the last window as a share of the usual one: its step's learning rate is scaled by it.
    """

    network: Network
    step_tokens: int
    window_share: float = 1.0

    @abstractmethod
    def loss_and_gradients(self, how: Regularization) -> float:
        """Take the next window: its mean loss in nats; its gradients are written into the network's parameters."""

    @abstractmethod
    def accept(self) -> None:
        """Go on from where the last window ended: its step was taken."""

    @abstractmethod
    def begin_anew(self) -> None:
        """Go on behind the last window, but as at the beginning: its step was not taken, or weights were replaced."""

    @abstractmethod
    def evaluate(self) -> Cost:
        """What the validation part costs with the weights as they are."""

    @abstractmethod
    def validation_tokens(self) -> int:
        """How many tokens a validation reads."""

    def tokens(self, steps: int) -> int:
        """Tokens of the windows so far, of which there were so many."""
        return steps * self.step_tokens

    @abstractmethod
    def place(self) -> dict[str, Array]:
        """Where the sequence of windows is, and what is carried along it, as tensors."""

    @abstractmethod
    def move_to(self, place: Mapping[str, Any]) -> None:
        """Continue from what ``place`` gave, exactly; there may be more tensors in it.

        Raises:
            KeyError: a tensor is missing.
            ValueError: there is no such place.
        """
