"""How tokens are drawn, in numbers."""

from dataclasses import dataclass

from charlm.config import require


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn.

    Attributes:
        length: most tokens to draw.
        temperature: the logits are divided by it; 0 takes the likeliest token.
        never: ids that are never drawn.
        stop: ids after which a sample ends.
    """

    length: int
    temperature: float = 1.0
    never: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require("--length", self.length, minimum=0)
        require("--temperature", self.temperature, minimum=0)
