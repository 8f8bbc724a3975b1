"""The options of a training run: one list, from which the command line and the Python interface are made."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Annotated, Any, NamedTuple, TypedDict, get_type_hints

from charlm.nn.registry import BLOCKS, known_options


class Meaning(NamedTuple):
    """What an option means.

    Attributes:
        text: One sentence.
        default: What is used where it is not given, in words; None where that goes without saying.
        flag: Its name on the command line where that is not its own name with dashes.
    """

    text: str
    default: str | None = None
    flag: str | None = None


_BY_SIZE = "by corpus size"
_CONSTANT = "cosine; constant for short texts"
_MEAN = "none; ema for short texts"
_BLOCK = Meaning("An option of a block: the registry says what it means.")


class Options(TypedDict, total=False):
    """Everything about a run that can be chosen and decides its result; what is missing is chosen for you."""

    base: Annotated[
        str | PathLike[str], Meaning("Start from this trained model, with its sizes and vocabulary.", flag="--from")
    ]
    extend_vocab: Annotated[bool, Meaning("With --from: add tokens that the model does not know to its vocabulary.")]
    valid: Annotated[str | PathLike[str], Meaning("Validate on this file (or folder) instead of a part of the corpus.")]
    valid_fraction: Annotated[
        float, Meaning("Share of the corpus kept for validation.", "0.1, at most a million characters")
    ]
    level: Annotated[str, Meaning("What a token is: char, word, token or byte.", "char; token where <unk> stands")]
    unit: Annotated[str, Meaning("What ends in <EOS>: line, paragraph or file.", "line; file at byte level")]
    independent_lines: Annotated[bool, Meaning("Whether every line is a text of its own.", "if it looks like a list")]
    labels: Annotated[bool, Meaning("Each line is a label, a tab and a text of its own: learn texts under labels.")]
    min_count: Annotated[int, Meaning("Tokens seen less often become <UNK>.", "1; 2 at word level")]
    max_vocab: Annotated[
        int, Meaning("Most tokens to have; rarer ones become <UNK>.", "10000 at word level, 20000 at token level")
    ]
    lowercase: Annotated[bool, Meaning("Turn the text to lower case.")]
    encoding: Annotated[str, Meaning("Encoding of the text.", "utf-8")]
    cell: Annotated[str, Meaning(f"Recurrent block: {', '.join(BLOCKS)}.", "lstm")]
    # Here for type checkers only: options of blocks are taken from the registry.
    reset: Annotated[str, _BLOCK]
    activation: Annotated[str, _BLOCK]
    peephole: Annotated[str, _BLOCK]
    layers: Annotated[int, Meaning("Layers.", "1")]
    residual: Annotated[bool, Meaning("Add a layer's input to its output, from the second layer on.")]
    initial: Annotated[str, Meaning("State before a text's first token: zero or learned.", "zero")]
    hidden: Annotated[int, Meaning("Hidden units a layer.", _BY_SIZE)]
    embedding: Annotated[int, Meaning("Size of a token's embedding.", _BY_SIZE)]
    tied: Annotated[
        bool,
        Meaning(
            "Make the embedding the matrix of the softmax too; --embedding is then that of --hidden.",
            "at the word level, where sizes and --softmax allow it",
        ),
    ]
    softmax: Annotated[
        str, Meaning("full, or adaptive: rare tokens in clusters.", "adaptive from 50,000 tokens on, full below")
    ]
    preset: Annotated[
        str,
        Meaning(
            "Patience that sizes and length of the run are picked for: quick, standard or best.",
            "standard",
        ),
    ]
    window: Annotated[int, Meaning("Steps of truncated backpropagation.", _BY_SIZE)]
    batch: Annotated[int, Meaning("Lanes trained side by side.", _BY_SIZE)]
    epochs: Annotated[float, Meaning("Length of the run in passes over the corpus.", _BY_SIZE)]
    steps: Annotated[int, Meaning("Length of the run in steps.")]
    time: Annotated[str | float, Meaning("Length of the whole command, such as 90s, 5m or 1h.")]
    optimizer: Annotated[str, Meaning("adamw, muon, sgd or rmsprop.", "by corpus size")]
    lr: Annotated[float, Meaning("Highest learning rate.", _BY_SIZE)]
    schedule: Annotated[
        str, Meaning("Learning rate after the warm-up: cosine, linear, constant or plateau.", _CONSTANT)
    ]
    warmup: Annotated[float, Meaning("Share of the run over which the learning rate rises.", "0.05")]
    clip: Annotated[float, Meaning("Largest norm of the gradient.", "1.0")]
    dropout: Annotated[float, Meaning("Share of each layer's outputs dropped; AWD-LSTM: dropouth.", _BY_SIZE)]
    dropout_embedding: Annotated[
        float, Meaning("Share of the tokens dropped, each wherever it stands; AWD-LSTM: dropoute.", "0")
    ]
    dropout_input: Annotated[
        float, Meaning("Share of the numbers dropped in embedded tokens; AWD-LSTM: dropouti.", "0")
    ]
    dropout_output: Annotated[
        float, Meaning("Share of the last layer's outputs dropped; AWD-LSTM: dropout.", "that of --dropout")
    ]
    dropout_recurrent: Annotated[
        float, Meaning("Share of the recurrent weights dropped (DropConnect); AWD-LSTM: wdrop.", "0")
    ]
    dropout_kind: Annotated[
        str, Meaning("plain: dropped values are drawn at every step; variational: once a window.", "plain")
    ]
    activation_penalty: Annotated[
        float, Meaning("Times the mean square of the last layer's outputs, added to the loss; AWD-LSTM: alpha.", "0")
    ]
    slowness_penalty: Annotated[
        float, Meaning("Times the mean square of their change from step to step, likewise; AWD-LSTM: beta.", "0")
    ]
    label_smoothing: Annotated[float, Meaning("Share of each target that all tokens get alike.", "0")]
    weight_decay: Annotated[float, Meaning("Decoupled weight decay.", _BY_SIZE)]
    eval_every: Annotated[int, Meaning("Validate every so many steps.", "so often that it takes 5% of the run")]
    patience: Annotated[int, Meaning("End after so many validations without a better one.", "none")]
    average: Annotated[str, Meaning("Mean of the weights to validate and keep: none, ema or asgd.", _MEAN)]
    average_decay: Annotated[float, Meaning("With --average ema: weight of the past.", "0.999")]
    average_after: Annotated[
        int, Meaning("With --average asgd: begin when no better validation was seen for so many.", "5")
    ]
    plateau_factor: Annotated[
        float, Meaning("With --schedule plateau: what the learning rate is multiplied by.", "0.5")
    ]
    plateau_after: Annotated[
        int, Meaning("With --schedule plateau: lower it after so many validations without a better one.", "2")
    ]
    random_windows: Annotated[bool, Meaning("Draw the length of each window around --window, or half of it.")]
    seed: Annotated[int, Meaning("The same seed gives the same model.", "1")]


def _types_and_meanings() -> dict[str, tuple[Any, Meaning]]:
    found: dict[str, tuple[Any, Meaning]] = {}
    of_blocks = {name: (str, Meaning(each.meaning, each.values[0])) for name, each in known_options().items()}
    for name, hint in get_type_hints(Options, include_extras=True).items():
        if hint.__metadata__[0] is not _BLOCK:
            found[name] = (hint.__origin__, hint.__metadata__[0])
        if name == "cell":
            found |= of_blocks
    return found


TYPES_AND_MEANINGS: Mapping[str, tuple[Any, Meaning]] = _types_and_meanings()
"""Type and meaning of every option by its name, those of the registry's blocks behind the block's."""
MEANINGS: Mapping[str, Meaning] = {name: meaning for name, (_, meaning) in TYPES_AND_MEANINGS.items()}
"""The meaning of every option by its name."""


SHAPE = ("cell", *known_options(), "layers", "hidden", "embedding", "residual", "initial", "tied", "softmax")
"""What decides the shapes of the weights."""
FROM_BASE = ("level", "unit", "lowercase", *SHAPE)
"""What a run that starts from a model has from that model."""
ONLY_WITH: Mapping[str, tuple[str, str]] = {
    "average_decay": ("average", "ema"),
    "average_after": ("average", "asgd"),
    "plateau_factor": ("schedule", "plateau"),
    "plateau_after": ("schedule", "plateau"),
}
"""Options that mean something only where another one has this value."""


Options.__doc__ = f"{Options.__doc__}\n\n" + "\n".join(
    f"    {name}: {meaning.text}" + (f" Default: {meaning.default}." if meaning.default else "")
    for name, meaning in MEANINGS.items()
)


def flag_of(name: str, meaning: Meaning) -> str:
    """An option's name on the command line."""
    return meaning.flag or f"--{name.replace('_', '-')}"


def flags(names: Iterable[str]) -> list[str]:
    """Names of options as they are typed."""
    return [flag_of(name, MEANINGS[name]) for name in names]
