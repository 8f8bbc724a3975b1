"""What is measured, and the floor of each case: the ratio that charlm is to reach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Side(NamedTuple):
    """What one process runs.

    Attributes:
        engine: charlm, torch or commands: the module ``bench.<engine>_engine``.
        task: the function there that makes the task.
        arguments: its keyword arguments, as JSON has them.
    """

    engine: str
    task: str
    arguments: Mapping[str, Any]


class Plan(NamedTuple):
    """How often the two sides take turns.

    Attributes:
        steps: of a turn, the first of which is not counted.
        least: turns a side.
        most: turns a side.
        seconds: after which there are no more turns than ``least``.
    """

    steps: int = 5
    least: int = 5
    most: int = 12
    seconds: float = 3.0

    def goes_on(self, turns: int, seconds: float) -> bool:
        """Whether another turn follows after so many, which took so long."""
        return turns < self.least or (turns < self.most and seconds < self.seconds)


USUAL_PLAN = Plan()


class Table(NamedTuple):
    """What cases that are printed together have in common.

    Attributes:
        title: above the table.
        unit: of the figures: ms or s a unit of work, or tokens or GFLOP a second, or MB.
        peer: whose figures stand in the second column.
        about: what is measured, in a paragraph.
        best: whether the peer's figure is its fastest step rather than the median.
        memory: whether peak memory is reported besides.
        bound: whether the ratio is reported that the parts of a step would give if nothing came from memory.
    """

    title: str
    unit: str
    peer: str
    about: str
    best: bool = False
    memory: bool = True
    bound: bool = False


TABLES = {
    "train": Table(
        "A training step",
        "ms",
        "PyTorch",
        "Embedding, recurrent layers, softmax, cross-entropy, backward, clipping to norm 1, Adam; the embedding has "
        "the size of the layers. PyTorch takes `torch.optim.Adam` as it comes. Its GRU resets after the product, and "
        "is the peer of both of charlm's. The last column is the ratio that charlm would have if its step took only as "
        "long as its parts do one by one, each again and again on data that is in the cache: the steps of the time "
        "loops, the gradients of weights and inputs, head, packing, clipping and optimiser.",
        bound=True,
    ),
    "train-128": Table(
        "A training step with an embedding of 128",
        "ms",
        "PyTorch",
        "The embedding's size matters to PyTorch and not to charlm: with a small vocabulary charlm folds the embedding "
        "into the first layer's operand, whose product then has 65 rows of input whatever the embedding. So charlm "
        "takes as long as above, and only PyTorch's time depends on it.",
        bound=True,
    ),
    "share": Table(
        "Share of the fastest product",
        "GFLOP/s",
        "sgemm",
        "What the products of a training step need, by the second, as a share of the fastest of the products of two "
        "2048 x 2048 matrices of float32 in NumPy.",
        best=True,
    ),
    "sample": Table(
        "Sampling from an LSTM",
        "characters/s",
        "PyTorch",
        "One stream, vocabulary 65, temperature 1. PyTorch's module is called step by step in inference mode.",
    ),
    "streams": Table(
        "Sampling 64 streams at once",
        "characters/s",
        "charlm, one stream",
        "All streams together against one, both by charlm.",
    ),
    "score": Table(
        "Scoring a file of lines",
        "characters/s",
        "PyTorch",
        "3000 lines of 1 to 400 characters, log-normal, vocabulary 65. PyTorch has them sorted by length and packed, "
        "in batches of 64, 128 or 256, whichever is fastest, in inference mode.",
    ),
    "start": Table(
        "Start-up",
        "s",
        "Python",
        "Whole processes. The ratio is the limit divided by what was measured. The limit of `charlm --help` is 12 "
        "times `python -c pass`; that of `charlm sample -n 1 --length 1` of a model of 1x256 is twice "
        '`python -c "import numpy"` and 0.1 s.',
        memory=False,
    ),
    "memory": Table(
        "Peak memory of training",
        "MB",
        "PyTorch",
        "Of the whole process. The ratio is the limit, 0.55 of PyTorch's, divided by what was measured.",
        memory=False,
    ),
}


@dataclass(frozen=True)
class Case:
    """Two sides that take turns.

    Attributes:
        name: by which it is chosen, and reported.
        table: key in ``TABLES``.
        charlm: the side that is to be fast.
        peer: the side that it is held against.
        floor: the ratio to reach.
        kernels: variables of both processes.
        factor: the ratio is ``(factor * peer + offset) / charlm``; 1 and 0 where no limit was set.
        offset: likewise.
        plan: how often they take turns.
    """

    name: str
    table: str
    charlm: Side
    peer: Side
    floor: float
    kernels: Mapping[str, str] = field(default_factory=dict)
    factor: float = 1.0
    offset: float = 0.0
    plan: Plan = USUAL_PLAN


class Row(NamedTuple):
    """Sizes of a model and its windows, with the floor of each cell."""

    vocabulary: int
    layers: int
    hidden: int
    window: int
    batch: int
    floors: Mapping[str, float]

    @property
    def label(self) -> str:
        """As it is said in names."""
        return f"{self.vocabulary}, {self.layers}x{self.hidden}, {self.window}x{self.batch}"

    def sizes(self, embedding: int) -> dict[str, int]:
        """As the engines take it."""
        kept = {name: getattr(self, name) for name in ("vocabulary", "hidden", "layers", "window", "batch")}
        return {**kept, "embedding": embedding}


def _floors(lstm: float, gru: float, rnn: float) -> dict[str, float]:
    return {"lstm": lstm, "gru-before": gru, "gru-after": gru, "rnn": rnn}


ROWS = (
    Row(65, 2, 128, 50, 50, _floors(1.1, 2, 2)),
    Row(65, 1, 256, 64, 64, _floors(1.5, 2, 2)),
    Row(65, 1, 512, 64, 64, _floors(1.6, 2, 2)),
    Row(65, 2, 512, 64, 64, _floors(1.35, 2, 1.8)),
    Row(10000, 2, 200, 35, 20, _floors(2.2, 2.5, 2)),
    Row(65, 1, 1024, 64, 64, _floors(1.1, 1.5, 1.3)),
)
SMALL_VOCABULARY = 65
OTHER_EMBEDDING, LARGEST_OTHER = 128, 512
"""Of many models of characters: their tokens are few. And the largest layers that are measured with it."""
FREE, AVX2 = "free", "AVX2"
KERNELS: Mapping[str, Mapping[str, str]] = {
    FREE: {},
    AVX2: {
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}
"""Choice of kernels -> the variables that make both sides take it."""
AVX2_SHARE = 0.9
"""The share of a floor that is to be reached when both sides are held to AVX2."""


def every_case(free: str = "AVX-512") -> list[Case]:
    """All cases in the order of the tables; ``free`` names the kernels that a free choice takes here."""
    return [*_training(free), *_arithmetic(), *_sampling(), *_scoring(), *_start_up(), *_memory()]


def _training(free: str) -> Iterator[Case]:
    for kernels in KERNELS:
        for row in ROWS:
            for cell, floor in row.floors.items():
                yield _training_case("train", cell, row, row.hidden, floor, kernels, free)
    for row in ROWS:
        if row.vocabulary == SMALL_VOCABULARY and OTHER_EMBEDDING < row.hidden <= LARGEST_OTHER:
            for cell, floor in row.floors.items():
                yield _training_case("train-128", cell, row, OTHER_EMBEDDING, floor, FREE, free)


def _training_case(table: str, cell: str, row: Row, embedding: int, floor: float, kernels: str, free: str) -> Case:
    arguments = {"cell": cell, **row.sizes(embedding)}
    return Case(
        f"train {cell} {row.label}, embedding {embedding}, {free if kernels == FREE else kernels}",
        table,
        Side("charlm", "training", arguments),
        Side("torch", "training", arguments),
        floor if kernels == FREE else round(AVX2_SHARE * floor, 4),
        KERNELS[kernels],
    )


def _arithmetic() -> Iterator[Case]:
    row = ROWS[2]
    arguments = {"cell": "lstm", **row.sizes(row.hidden)}
    sides = Side("charlm", "arithmetic", arguments), Side("charlm", "product", {})
    yield Case(f"share of sgemm, lstm {row.label}", "share", *sides, 0.70)


def _sampling() -> Iterator[Case]:
    sizes = [
        {"vocabulary": SMALL_VOCABULARY, "embedding": hidden, "hidden": hidden, "layers": 2, "length": 1000}
        for hidden in (128, 512)
    ]
    for each in sizes:
        sides = Side("charlm", "sampling", each), Side("torch", "sampling", each)
        yield Case(f"sample lstm 2x{each['hidden']}", "sample", *sides, 8)
    for each, floor in zip(sizes, (8, 4), strict=True):
        sides = Side("charlm", "sampling", {**each, "streams": 64}), Side("charlm", "sampling", each)
        yield Case(f"sample 64 streams, lstm 2x{each['hidden']}", "streams", *sides, floor)


def _scoring() -> Iterator[Case]:
    for cell, floor in (("lstm", 1.1), ("gru-after", 2)):
        arguments = {"cell": cell, "vocabulary": SMALL_VOCABULARY, "embedding": 512, "hidden": 512, "layers": 1}
        sides = Side("charlm", "scoring", arguments), Side("torch", "scoring", arguments)
        yield Case(f"score {cell} 1x512", "score", *sides, floor, plan=Plan(steps=3, least=4, most=4))


def _start_up() -> Iterator[Case]:
    plan = Plan(steps=2, least=15, most=15)
    sides = Side("commands", "charlm", {"arguments": ["--help"]}), Side("commands", "python", {"code": "pass"})
    yield Case("start charlm --help", "start", *sides, 1, factor=12, plan=plan)
    sides = Side("commands", "sample", {"hidden": 256}), Side("commands", "python", {"code": "import numpy"})
    yield Case("start charlm sample", "start", *sides, 1, factor=2, offset=0.1, plan=plan)


def _memory() -> Iterator[Case]:
    row = ROWS[3]
    arguments = {"cell": "lstm", **row.sizes(OTHER_EMBEDDING)}
    sides = Side("charlm", "training", arguments), Side("torch", "training", arguments)
    name = f"memory lstm {row.label}, embedding {OTHER_EMBEDDING}"
    yield Case(name, "memory", *sides, 1, factor=0.55, plan=Plan(least=1, most=1))
