"""How labelled texts are read."""

from dataclasses import dataclass

from charlm.config import Strict, choose

KINDS = ("tagger", "classifier")
"""A label for each token, or one for a text; what a model's file calls itself."""


@dataclass(frozen=True)
class LabellingConfig(Strict):
    """How labelled texts become tokens, labels and parts.

    Attributes:
        kind: tagger or classifier.
        level: what a token is; a tagger's tokens are those of its files, at the level of the words they are looked up
            among: "token", or "word" where the vocabulary is one of a language model at that level.
        unit: what ends in <EOS> within a text; of a classifier.
        encoding: of the files.
        lowercase: whether words are looked up in lower case.
        min_count: tokens seen less often are <UNK>.
        max_vocab: most tokens of the vocabulary; None for no limit.
        valid_fraction: share of the texts that validate.
        scheme: how labels mark entities, of ``labels.schemes.SCHEMES``; "plain" for a classifier.
        each_line: whether each line of a file in a label's folder is a text; of a classifier.
        label_field: what JSON lines and tables call the label; of a classifier.
        text_field: what they call the text.
        class_weights: what a target of each label counts: "none", "balanced", or a list such as "spam=5,ham=1".
    """

    kind: str
    level: str = "token"
    unit: str = "file"
    encoding: str = "utf-8"
    lowercase: bool = False
    min_count: int = 1
    max_vocab: int | None = None
    valid_fraction: float = 0.1
    scheme: str = "plain"
    each_line: bool = False
    label_field: str = "label"
    text_field: str = "text"
    class_weights: str = "none"

    def __post_init__(self) -> None:
        choose("kind", self.kind, KINDS)

    @property
    def per_token(self) -> bool:
        """Whether each token has a label."""
        return self.kind == KINDS[0]
