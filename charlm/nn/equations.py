"""The equations of a block as text that can be read by a person, evaluated, and written in other forms.

A block states its step as assignments, in Python's own syntax, with ``@`` for a matrix on a vector and ``*`` for
products of elements::

    u = sigmoid(W_ux @ x + b_u)           # update gate
    candidate = W_cx @ x + b_c            # candidate
    a = u * candidate + (1 - u) * a_prev  # activation

What stands behind ``#`` names the quantity. The names that are given from outside are the block's parameters, the
input ``x``, and the state before the step: ``a_prev`` for the activation, ``c_prev`` for the cell. The step defines
``a``, what the block puts out, and ``c`` where its state has a cell. ``norm(p, q)`` is layer normalisation of p and q
stacked; with several vectors it gives as many.

The engine does not compute with this text: it has its own fused code, and a test holds the two against each other.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from charlm.nn.arrays import Array, State
from charlm.nn.block import Block
from charlm.nn.normalization import normalize

STATE_SYMBOLS = {"hidden": "a", "cell": "c"}
"""What the parts of a state are called in the equations; with ``_prev``, before the step."""
DECIMALS = 4
"""Of the numbers that are put into an equation."""


@dataclass(frozen=True)
class Equation:
    """One assignment.

    Attributes:
        targets: the names that it defines; several for ``norm`` of several vectors.
        value: its right side, made of names, numbers, ``+ - * @``, and calls of the functions at the end of the module.
        text: the right side as the block states it.
        about: what the quantity is, in words.
    """

    targets: tuple[str, ...]
    value: ast.expr
    text: str
    about: str


def equations_of(block: Block) -> list[Equation]:
    """The equations of a block's step, in the order in which they are computed."""
    return [read_equation(line) for line in block.equations.strip().splitlines()]


def read_equation(line: str) -> Equation:
    """An equation from a line such as ``c = u * candidate + f * c_prev  # cell``."""
    code, _, about = line.partition("#")
    (statement,) = ast.parse(code.strip()).body
    assert isinstance(statement, ast.Assign)
    (target,) = statement.targets
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    return Equation(tuple(ast.unparse(name) for name in names), statement.value, _right(code), about.strip())


def _right(code: str) -> str:
    return code.partition("=")[2].strip()


def evaluate_step(
    block: Block, parameters: Mapping[str, Array], x: Array, state: tuple[Array, ...]
) -> dict[str, Array]:
    """Every quantity of one step by its name, the given ones among them.

    Args:
        block: whose equations.
        parameters: by name, unscaled.
        x: [X, B].
        state: each part [H, B].

    Returns:
        name -> value, vectors as [n, B]; matrices and vectors of parameters as they came.
    """
    values: dict[str, Array] = {
        **{name: value if value.ndim > 1 else value[:, None] for name, value in parameters.items()},
        "x": x,
        **{f"{STATE_SYMBOLS[part]}_prev": value for part, value in zip(block.state_names, state, strict=True)},
    }
    for equation in equations_of(block):
        found = evaluate(equation.value, values)
        values.update(zip(equation.targets, found if isinstance(found, tuple) else (found,), strict=True))
    return values


def state_after(block: Block, values: Mapping[str, Array]) -> State:
    """The state that a step leaves, from what ``evaluate_step`` found."""
    return tuple(values[STATE_SYMBOLS[part]] for part in block.state_names)


def evaluate(node: ast.expr, values: Mapping[str, Array]) -> Any:
    """The value of an expression: an array, a number, or a tuple of arrays."""
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](evaluate(left, values), evaluate(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(evaluate(each, values) for each in arguments))
        case _:
            raise ValueError(f"no part of an equation: {ast.unparse(node)}")


def put_in(value: ast.expr, values: Mapping[str, Array], unit: int) -> list[str]:
    """A right side with the numbers of one unit put in, in the steps that a person would take.

    In the first, every name and every product with a matrix is its number. Then, from the inside out, the arguments
    of functions are computed, and the functions; what comes last is the value::

        0.4312 * tanh(0.1230 + 0.0200)
        0.4312 * tanh(0.1430)
        0.4312 * 0.1420
        0.0612

    Each is Python's own syntax. No step is computed from the rounded numbers of the one before.

    Args:
        value: the right side.
        values: name -> [n, 1], a matrix, or the like: what ``evaluate_step`` found for one lane.
        unit: whose numbers, from 0.

    Returns:
        The steps; where the equation defines several names, their values are separated by commas.
    """
    known: dict[ast.expr, str] = {}
    due = [node for node in _unknown(value, known) if not _parts(node)]
    steps = []
    while due:
        known.update((node, _of_unit(evaluate(node, values), unit)) for node in due)
        steps.append(_written(value, known))
        due = _due(value, known)
    return steps


class Normalization(NamedTuple):
    """What a ``norm`` does to each of so many numbers: subtract their mean, divide by their deviation."""

    numbers: int
    mean: float
    deviation: float


def normalizations(value: ast.expr, values: Mapping[str, Array]) -> list[Normalization]:
    """The means and deviations of every ``norm`` of a right side; arguments as of ``put_in``."""
    found = []
    for call in _calls(_unknown(value, {})):
        if _function(call) == "norm":
            stacked = np.concatenate([evaluate(part, values) for part in call.args])
            (inverse,) = normalize(stacked, np.empty_like(stacked))
            found.append(Normalization(len(stacked), float(stacked.mean()), float(1 / inverse)))
    return found


def _function(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _parts(node: ast.expr) -> list[ast.expr]:
    """What a value is made of that can be shown as numbers: a matrix and its vector cannot."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            return [left, right]
        case ast.Call(args=arguments):
            return arguments
        case _:
            return []


def _unknown(node: ast.expr, known: Mapping[ast.expr, str]) -> list[ast.expr]:
    """Everything in a value that is not a number yet, from the outside in."""
    if node in known or isinstance(node, ast.Constant):
        return []
    return [node, *(each for part in _parts(node) for each in _unknown(part, known))]


def _due(value: ast.expr, known: Mapping[ast.expr, str]) -> list[ast.expr]:
    """What is computed next: the arguments of the innermost functions, or else these; without any, the whole."""
    unknown = _unknown(value, known)
    inside = {call: [each for part in call.args for each in _unknown(part, known)] for call in _calls(unknown)}
    innermost = {call: arguments for call, arguments in inside.items() if not _calls(arguments)}
    return [each for call, arguments in innermost.items() for each in arguments or [call]] or unknown[:1]


def _calls(nodes: list[ast.expr]) -> list[ast.Call]:
    return [node for node in nodes if isinstance(node, ast.Call)]


def _of_unit(found: Any, unit: int) -> str:
    """One unit's number in a value, or one in each of several; z is for zeros, which have no sign here."""
    several = found if isinstance(found, tuple) else (found,)
    numbers = (float(each[unit, 0]) if np.ndim(each) else float(each) for each in several)
    return ", ".join(f"{number:z.{DECIMALS}f}" for number in numbers)


def _written(node: ast.expr, known: Mapping[ast.expr, str], strength: int = 0, *, edge: bool = True) -> str:
    """An expression with what is known of it as numbers.

    Args:
        node: the expression.
        known: number by node.
        strength: of the operator that it is an operand of; a weaker one in it needs parentheses.
        edge: whether nothing stands on its left, so that its sign cannot be taken for an operator.
    """
    if node in known:
        number = known[node]
        return number if edge or not number.startswith("-") else f"({number})"
    match node:
        case ast.Call(args=arguments):
            return f"{_function(node)}({', '.join(_written(each, known) for each in arguments)})"
        case ast.BinOp(left=left, op=op, right=right):
            symbol, own = _SYMBOLS[type(op)]
            inside = own < strength
            first = _written(left, known, own, edge=edge or inside)
            second = _written(right, known, own + 1, edge=False)
            if symbol == "+" and known.get(right, "").startswith("-"):
                symbol, second = "-", known[right][1:]
            return f"({first} {symbol} {second})" if inside else f"{first} {symbol} {second}"
        case _:
            return ast.unparse(node)


def _norm(*parts: Array) -> Any:
    stacked = np.concatenate(parts)
    out = np.empty_like(stacked)
    normalize(stacked, out)
    cut = tuple(np.split(out, len(parts)))
    return cut if len(cut) > 1 else cut[0]


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.MatMult: np.matmul,
}
_SYMBOLS: Mapping[type[ast.operator], tuple[str, int]] = {ast.Add: ("+", 1), ast.Sub: ("-", 1), ast.Mult: ("*", 2)}
"""How an operator is written, and how strongly it binds."""
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sqrt": np.sqrt,
    "norm": _norm,
}
