"""A step of a model as a graph of ONNX operators, made from the equations of its blocks.

Everything is batch-first: vectors are [B, n], so that ``W @ v`` becomes v times W transposed. No block is named here: a
block that states its equations has its graph.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charlm.errors import ModelError
from charlm.nn.block import Block
from charlm.nn.equations import STATE_SYMBOLS, equations_of
from charlm.nn.heads.adaptive import AdaptiveHead
from charlm.nn.language_model import HEAD, LanguageModel, head_name
from charlm.nn.normalization import EPSILON
from charlm.nn.parameters import below

TOKENS = "tokens"
LOG_PROBABILITIES = "log_probabilities"
BINARY: Mapping[type[ast.operator], str] = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
FUNCTIONS: Mapping[str, str] = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "sqrt": "Sqrt"}
"""The functions of the equations but for ``norm``, which takes several operators."""


@dataclass(frozen=True)
class Operator:
    """One operator of ONNX: its kind, the names of the values that it reads and makes, and its attributes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, int]


@dataclass
class Graph:
    """A step of a model.

    Attributes:
        operators: in the order in which they can be computed.
        constants: name -> value, the parameters among them.
        states: name of each part of the state -> its size; with ``_next`` it is that after the step.
    """

    operators: list[Operator] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, *inputs: str, outputs: tuple[str, ...] = (), **attributes: int) -> tuple[str, ...]:
        """Add an operator; without names its one output is given a new one."""
        names = outputs or (f"{kind.lower()}.{len(self.operators)}",)
        self.operators.append(Operator(kind, inputs, names, attributes))
        return names

    def value(self, kind: str, *inputs: str, **attributes: int) -> str:
        """``add``, for what is used at once."""
        (name,) = self.add(kind, *inputs, outputs=(), **attributes)
        return name

    def constant(self, value: float) -> str:
        """The name of a number in float32."""
        name = f"constant.{value!r}"
        self.constants[name] = np.array(value, np.float32)
        return name


def next_name(state: str) -> str:
    """What a part of the state is called after the step."""
    return f"{state}_next"


def graph_of(network: LanguageModel) -> Graph:
    """The step of a model: from a token a lane and the state before it to the log-probabilities of the next token.

    Where the token is -1, a text begins: the state is put to the initial one, whatever was given, and the input is the
    zero vector.

    Raises:
        ModelError: an equation uses what has no operator yet.
    """
    graph, views = Graph(), network.parameters.views
    graph.constants |= views
    begins = _begins(graph)
    output = _embedded(graph, begins)
    for k, block in enumerate(network.stack.blocks):
        names = {name: f"layers.{k}.{name}" for name in below(views, f"layers.{k}.")}
        names["x"] = output
        names |= _state_before(graph, block, k, begins, names)
        _add_equations(graph, block, k, names)
        for part in block.state_names:
            graph.add("Identity", names[STATE_SYMBOLS[part]], outputs=(next_name(f"{part}_{k}"),))
        residual = network.stack.is_residual(k)
        output = graph.value("Add", names["a"], output) if residual else names["a"]
    _add_head(graph, network, output)
    return graph


def _add_head(graph: Graph, network: LanguageModel, output: str) -> None:
    """Add what makes log-probabilities of the top layer's output."""
    weights, biases = (head_name(network.config, name) for name in ("W_y", "b_y"))
    logits = graph.value("Gemm", output, weights, biases, transB=1)
    if not isinstance(network.head, AdaptiveHead):
        graph.add("LogSoftmax", logits, outputs=(LOG_PROBABILITIES,), axis=-1)
        return
    tails = network.head.tails
    graph.constants["head.sizes"] = np.array([network.head.frequent, *(1 for _ in tails)], np.int64)
    found, clusters = "head.frequent", [f"{HEAD}{tail.name}log_probability" for tail in tails]
    classes = graph.value("LogSoftmax", logits, axis=-1)
    graph.add("Split", classes, "head.sizes", outputs=(found, *clusters), axis=-1)
    parts = [found]
    for tail, cluster in zip(tails, clusters, strict=True):
        projected = graph.value("Gemm", output, f"{HEAD}{tail.name}W_p", transB=1)
        inside = graph.value("Gemm", projected, f"{HEAD}{tail.name}W_y", transB=1)
        parts.append(graph.value("Add", graph.value("LogSoftmax", inside, axis=-1), cluster))
    graph.add("Concat", *parts, outputs=(LOG_PROBABILITIES,), axis=-1)


def _begins(graph: Graph) -> str:
    """[B, 1]: whether a text begins."""
    graph.constants |= {"no_token": np.array(0, np.int64), "last_axis": np.array([-1], np.int64)}
    return graph.value("Unsqueeze", graph.value("Less", TOKENS, "no_token"), "last_axis")


def _embedded(graph: Graph, begins: str) -> str:
    # Where there is no token, -1 gathers the last one, which is then put aside.
    vectors = graph.value("Gather", "embedding", TOKENS, axis=0)
    return graph.value("Where", begins, graph.constant(0.0), vectors)


def _state_before(graph: Graph, block: Block, k: int, begins: str, names: Mapping[str, str]) -> dict[str, str]:
    """The parts of a layer's state as the equations call them -> their values, those of a beginning text included."""
    found = {}
    for part in block.state_names:
        given = f"{part}_{k}"
        graph.states[given] = block.hidden
        initial = names.get(f"initial_{part}") or graph.constant(0.0)
        found[f"{STATE_SYMBOLS[part]}_prev"] = graph.value("Where", begins, initial, given)
    return found


def _add_equations(graph: Graph, block: Block, k: int, names: dict[str, str]) -> None:
    """Add the equations of layer k; ``names``, from what they call things to values, gets what they define."""
    for equation in equations_of(block):
        outputs = tuple(f"layers.{k}.{target}" for target in equation.targets)
        names.update(zip(equation.targets, _add(graph, equation.value, names, outputs), strict=True))


def _add(graph: Graph, node: ast.expr, names: Mapping[str, str], outputs: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Add an expression; its values have the names of ``outputs`` where it takes an operator to make them."""
    match node:
        case ast.Name(id=name):
            return (names[name],)
        case ast.Constant(value=float() | int() as value):
            return (graph.constant(value),)
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            matrix, vector = _one(graph, left, names), _one(graph, right, names)
            return graph.add("Gemm", vector, matrix, outputs=outputs, transB=1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return graph.add(BINARY[type(op)], _one(graph, left, names), _one(graph, right, names), outputs=outputs)
        case ast.Call(func=ast.Name(id="norm"), args=arguments):
            return _add_norm(graph, [_one(graph, each, names) for each in arguments], outputs)
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in FUNCTIONS:
            return graph.add(FUNCTIONS[name], _one(graph, argument, names), outputs=outputs)
        case _:
            raise ModelError(f"charlm has no form in ONNX for {ast.unparse(node)}, a part of the equations of its cell")


def _one(graph: Graph, node: ast.expr, names: Mapping[str, str]) -> str:
    (name,) = _add(graph, node, names)
    return name


def _add_norm(graph: Graph, parts: list[str], outputs: tuple[str, ...]) -> tuple[str, ...]:
    """Layer normalisation of vectors as one, cut apart again; see ``charlm.nn.normalization``."""
    stacked = graph.value("Concat", *parts, axis=-1) if len(parts) > 1 else parts[0]
    centred = graph.value("Sub", stacked, graph.value("ReduceMean", stacked, "last_axis"))
    variance = graph.value("ReduceMean", graph.value("Mul", centred, centred), "last_axis")
    deviation = graph.value("Sqrt", graph.value("Add", variance, graph.constant(EPSILON)))
    if len(parts) == 1:
        return graph.add("Div", centred, deviation, outputs=outputs)
    return graph.add("Split", graph.value("Div", centred, deviation), outputs=outputs, axis=-1, num_outputs=len(parts))
