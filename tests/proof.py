"""The tables of proofs: for every kind of block, every label head, and every question, the test that answers it.

`docs/make_proof.py` writes it down as a page, `mutants.py` sees each of its tests fail on a planted error, and
`test_training_losses.py` takes the losses from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from charlm.nn.fitting import kind_name
from charlm.nn.registry import every_kind

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = {"-".join([cell, *options.values()]): kind_name(cell, options) for cell, options in every_kind()}
"""Every block with every choice of its options, such as ``gru-before`` -> in words, "gru with reset before"."""
KINDS = tuple(WORDS)


class Cell(NamedTuple):
    """What is known, in few words, and the tests that show it, from tests/.

    The first is run by ``make test`` and seen to fail by ``make mutants``; others need peers, and ``make parity``.
    """

    text: str
    tests: tuple[str, ...]


class Column(NamedTuple):
    """One question: its title, what the tests do, and the cell of each kind."""

    title: str
    about: str
    cell: Callable[[str], Cell]


LOSSES = dict.fromkeys(KINDS, 0.26) | {"rnn-relu": 0.28, "sru": 0.3, "mingru": 0.36}
"""What the small language costs at most in nats a token after training."""

_CARRIED = "a_cell_that_nothing_is_taken_from_or_added_to_is_carried_exactly"
_KEPT = "a_gru_whose_update_gate_is_shut_keeps_its_state_exactly"
_LIMITS = {
    "lstm": ("carries its cell", f"{_CARRIED}[lstm]"),
    "gru-before": ("keeps its state", f"{_KEPT}[gru-before]"),
    "gru-after": ("keeps its state", f"{_KEPT}[gru-after]"),
    "rnn-tanh": ("a function of x alone", "a_network_without_recurrence_is_a_function_of_its_input"),
    "rnn-relu": ("keeps a positive state", "a_relu_network_without_input_keeps_a_positive_state"),
    "peephole-lstm-standard": ("gates see the cell", "a_peephole_shows_a_gate_the_cell[peephole-lstm-standard]"),
    "peephole-lstm-previous": ("gates see the cell", "a_peephole_shows_a_gate_the_cell[peephole-lstm-previous]"),
    "coupled-lstm": ("an LSTM with f = 1 - u", "a_coupled_lstm_is_an_lstm_that_forgets_what_it_updates"),
    "norm-lstm": ("puts out N(c)", "a_normalised_lstm_puts_out_its_cell_normalised_and_squashed"),
    "norm-gru": ("keeps its state", f"{_KEPT}[norm-gru]"),
    "sru": ("highway or cell", "an_sru_whose_reset_gate_is_shut_or_open_puts_out_its_highway_or_its_cell[3]"),
    "mingru": ("keeps its state", f"{_KEPT}[mingru]"),
}
_MODULES = {"rnn-tanh": "rnn-tanh", "rnn-relu": "rnn-relu", "gru-after": "gru", "lstm": "lstm"}
"""Kinds that a module of PyTorch computes as they are -> what its stored files are called."""
_EXPRESSIBLE = (*_MODULES, "coupled-lstm")
"""Those that a module of PyTorch can be made to compute."""
_OPERATORS = {kind: kind for kind in ("rnn-tanh", "rnn-relu", "gru-before", "gru-after", "lstm")} | {
    "peephole-lstm-standard": "peephole-lstm"
}
"""Kinds that an operator of ONNX computes -> what its stored file is called."""
_GOLDEN, _EXCHANGE = "nn/test_engine_golden.py", "exchange/test_exchange"
_PARITY = {peer: f"parity/test_parity_{peer}.py" for peer in ("pytorch", "onnx", "exchange")}


def _gradcheck(kind: str) -> Cell:
    return Cell("slopes", (f"nn/test_engine_differences.py::test_gradients_are_slopes[{kind}-2-one-hot]",))


def _reference(kind: str) -> Cell:
    test = f"test_gradients_equal_the_reference[one-hot-{kind}-learned]"
    return Cell("to 1e-12", (f"nn/test_engine_reference.py::{test}",))


def _limits(kind: str) -> Cell:
    text, name = _LIMITS[kind]
    return Cell(text, (f"nn/test_block_limits.py::test_{name}",))


def _refusal(kind: str, text: str) -> Cell:
    return Cell(text, (f"{_EXCHANGE}_pytorch.py::test_what_pytorch_cannot_compute_is_refused[{WORDS[kind]}]",))


def _pytorch(kind: str) -> Cell:
    if kind in _MODULES:
        stored = f"{_GOLDEN}::test_engine_equals_pytorch[{_MODULES[kind]}-2.safetensors-one-hot]"
        return Cell("to 1e-10", (stored, f"{_PARITY['pytorch']}::test_language_models[{kind}-2-0]"))
    if kind in _EXPRESSIBLE:
        by_formula = f"{_EXCHANGE}_pytorch.py::test_the_tensors_mean_what_pytorch_documents[{WORDS[kind]}-zero]"
        live = f"{_PARITY['exchange']}::test_pytorch_computes_what_the_engine_does[{WORDS[kind]}-one layer]"
        return Cell("as nn.LSTM", (by_formula, live))
    return _refusal(kind, "none; refused")


def _graph(kind: str, shape: str, text: str) -> Cell:
    evaluated = f"{_EXCHANGE}_onnx.py::test_steps_equal_the_engines[{WORDS[kind]}-{shape}]"
    live = f"{_PARITY['exchange']}::test_onnx_runtime_computes_what_the_engine_does[{WORDS[kind]}-{shape}]"
    return Cell(text, (evaluated, live))


def _onnx(kind: str) -> Cell:
    if kind in _OPERATORS:
        stored = f"{_GOLDEN}::test_engine_equals_onnx_runtime[onnx-{_OPERATORS[kind]}.safetensors]"
        return Cell("to 1e-5", (stored, f"{_PARITY['onnx']}::test_operators[{_OPERATORS[kind]}-0]"))
    return _graph(kind, "one layer", "none; as a graph")


def _export(kind: str) -> Cell:
    if kind not in _EXPRESSIBLE:
        return _graph(kind, "everything", "to ONNX")
    live = f"{_PARITY['exchange']}::test_pytorch_computes_what_the_engine_does[{WORDS[kind]}-learned states]"
    cell = _graph(kind, "everything", "to PyTorch, ONNX")
    return cell._replace(tests=(*cell.tests, live))


def _import(kind: str) -> Cell:
    if kind not in _EXPRESSIBLE:
        return _refusal(kind, "none; refused")
    same = f"test_what_was_exported_comes_back_byte_for_byte[{WORDS[kind]}-learned states]"
    live = f"{_PARITY['exchange']}::test_what_pytorch_only_saved_is_the_same_model[{WORDS[kind]}]"
    return Cell("byte for byte", (f"{_EXCHANGE}_pytorch.py::{same}", live))


def _encoder(kind: str) -> Cell:
    tests = (f"nn/test_encoder.py::test_an_encoder_equals_the_reference[{kind}-1-False]",)
    live = (f"{_PARITY['pytorch']}::test_encoders[{kind}-2-0]",) if kind in _MODULES else ()
    return Cell("to 1e-12", (*tests, *live))


def _trains(kind: str) -> Cell:
    return Cell(f"below {LOSSES[kind]:.2f}", (f"nn/test_training_losses.py::test_a_kind_of_block_learns[{kind}]",))


COLUMNS = {
    "gradcheck": Column(
        "gradcheck",
        "The gradients by every parameter and every state are the slopes of the engine's own forward pass: central "
        "differences in float64, one to three layers, both ways of writing the first layer's input, with residual "
        "connections and learned initial states too.",
        _gradcheck,
    ),
    "reference": Column(
        "reference",
        "Outputs, states and all gradients equal those of a naive reference, to 1e-12 in float64. It has plain loops, "
        "takes derivatives by complex steps, and shares no code with the engine.",
        _reference,
    ),
    "limits": Column(
        "limits",
        "Where the equations say what happens without any computing, it happens: a gate shut or open, weights of zero. "
        "Each file of tests has more of them than the one that is named.",
        _limits,
    ),
    "pytorch": Column(
        "PyTorch",
        "Outputs, states and all gradients equal those of PyTorch's module on shared weights, to 1e-10 in float64, one "
        "to three layers deep.",
        _pytorch,
    ),
    "onnx": Column(
        "ONNX",
        "Outputs and states equal those of ONNX Runtime's operator, to 1e-5 in float32. Where ONNX has no such "
        "operator, it computes the graph that `charlm export --to onnx` makes of the equations.",
        _onnx,
    ),
    "export": Column(
        "export",
        "An exported model, with residual connections and learned initial states, gives charlm's log-probabilities "
        "and states, to 1e-5.",
        _export,
    ),
    "import": Column(
        "import",
        "What was exported to PyTorch comes back as the same file, byte for byte. What PyTorch has no module for is "
        "refused, with the reason.",
        _import,
    ),
    "encoder": Column(
        "encoder",
        "In an encoder of whole texts, of two directions or one, outputs and all gradients equal those of the naive "
        "reference, to 1e-12 in float64, and of PyTorch's bidirectional modules on packed sequences, to 1e-10; and "
        "the gradients of a label model on it are its slopes, with every head.",
        _encoder,
    ),
    "trains": Column(
        "trains",
        "Trained for a moment on a small language that counts, a model costs less than so many nats a token on text "
        "that it has not seen. The language's entropy is 0.230; without a memory the least is 0.546.",
        _trains,
    ),
}


HEADS = tuple(f"{where}-{output}" for where in ("token", "last", "mean", "max") for output in ("softmax", "sigmoid"))
"""Every label head: of each token, or of a text, pooled in one of three ways."""
_LABELS = "nn/test_label_model.py"


def _head_gradcheck(head: str) -> Cell:
    return Cell("slopes", (f"{_LABELS}::test_gradients_are_slopes[lstm-{head}-two]",))


def _head_reference(head: str) -> Cell:
    return Cell("to 1e-12", (f"{_LABELS}::test_a_head_equals_the_reference[{head}-two]",))


def _head_pytorch(head: str) -> Cell:
    stored = f"{_LABELS}::test_a_head_equals_pytorch[{head}]"
    return Cell("to 1e-10", (stored, f"{_PARITY['pytorch']}::test_label_models[lstm-{head}-0]"))


HEAD_COLUMNS = {
    "gradcheck": Column(
        "gradcheck",
        "The gradients are the slopes of the losses, on every kind of block, in one direction and two, with a "
        "character network, weights of the labels, and targets that are not counted.",
        _head_gradcheck,
    ),
    "reference": Column(
        "reference",
        "Loss, probabilities and all gradients equal those of the naive reference, to 1e-12 in float64.",
        _head_reference,
    ),
    "pytorch": Column(
        "PyTorch",
        "Loss and all gradients equal those of Linear with CrossEntropyLoss or BCEWithLogitsLoss, on packed "
        "sequences, to 1e-10 in float64.",
        _head_pytorch,
    ),
}


class Table(NamedTuple):
    """Rows of one sort, and what is asked of each."""

    sort: str
    rows: tuple[str, ...]
    columns: dict[str, Column]


TABLES = (Table("block", KINDS, COLUMNS), Table("label head", HEADS, HEAD_COLUMNS))


def cells() -> dict[str, Cell]:
    """``row/column`` -> cell, table by table and row by row."""
    return {
        f"{row}/{name}": column.cell(row)
        for table in TABLES
        for row in table.rows
        for name, column in table.columns.items()
    }
