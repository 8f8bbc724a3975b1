"""The shape of a label model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from charlm.config import OUTPUTS, POOLINGS, Strict, choose, require
from charlm.nn.encoder import EncoderConfig

UNITS = ("token", "text")


@dataclass(frozen=True)
class LabelModelConfig(Strict):
    """The shape of a label model.

    Attributes:
        vocabulary: number of tokens V.
        labels: number of labels K.
        unit: what has a label: each token, or each text.
        output: softmax, of labels that exclude one another, or sigmoid, each by itself.
        pooling: how a text's outputs become one: last, mean or max; where the unit is the text.
        cell: a name in the registry of blocks.
        options: options of the cell.
        layers: depth.
        hidden: units H of each direction of each layer.
        embedding: size E of a token's embedding.
        residual: whether a layer's output is its activation plus its input, from the second layer on.
        bidirectional: whether a text is read from its end too.
        characters: number of characters, if tokens' spellings are read too; 0: they are not.
        char_embedding: size of a character's embedding.
        char_hidden: units of each direction of the character network.
    """

    vocabulary: int
    labels: int
    unit: str = "token"
    output: str = "softmax"
    pooling: str = "last"
    cell: str = "lstm"
    options: Mapping[str, str] = field(default_factory=dict)
    layers: int = 1
    hidden: int = 128
    embedding: int = 64
    residual: bool = False
    bidirectional: bool = True
    characters: int = 0
    char_embedding: int = 32
    char_hidden: int = 32

    def __post_init__(self) -> None:
        require("vocabulary", self.vocabulary, minimum=1)
        require("labels", self.labels, minimum=1)
        require("--embedding", self.embedding, minimum=1, maximum=65536)
        require("characters", self.characters, minimum=0)
        require("size of a character's embedding", self.char_embedding, minimum=1, maximum=65536)
        require("units of the character network", self.char_hidden, minimum=1, maximum=65536)
        choose("unit", self.unit, UNITS)
        choose("output", self.output, OUTPUTS)
        choose("--pooling", self.pooling, POOLINGS)
        _ = self.encoder  # whose sizes are checked there

    @property
    def encoder(self) -> EncoderConfig:
        """Of the encoder of tokens."""
        spelling = 2 * self.char_hidden if self.characters else 0
        return EncoderConfig(
            self.embedding + spelling,
            self.cell,
            self.options,
            self.layers,
            self.hidden,
            self.residual,
            self.bidirectional,
        )
