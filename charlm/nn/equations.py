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
from typing import Any

import numpy as np

from charlm.nn.arrays import Array, State
from charlm.nn.block import Block
from charlm.nn.normalization import normalize

STATE_SYMBOLS = {"hidden": "a", "cell": "c"}
"""What the parts of a state are called in the equations; with ``_prev``, before the step."""


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
    return [_equation(line) for line in block.equations.strip().splitlines()]


def _equation(line: str) -> Equation:
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
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sqrt": np.sqrt,
    "norm": _norm,
}
