"""What the blocks state as their equations is what they compute, and the numbers put into them are right."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from charlm.nn.equations import (
    STATE_SYMBOLS,
    Normalization,
    equations_of,
    evaluate,
    evaluate_step,
    normalizations,
    put_in,
    read_equation,
    state_after,
)
from charlm.nn.parameters import Parameters
from charlm.nn.registry import every_kind, make_block
from charlm.nn.stack import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charlm.nn.arrays import Array, State
    from charlm.nn.block import Block

HIDDEN, BATCH = 5, 3
EVERY = pytest.mark.parametrize(
    ("cell", "options"),
    [pytest.param(cell, options, id="-".join([cell, *options.values()])) for cell, options in every_kind()],
)
SIZES = pytest.mark.parametrize("size", [4, HIDDEN])
FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: max(z, 0),
    "sqrt": np.sqrt,
}


def block_and_parameters(cell: str, options: Mapping[str, str], size: int) -> tuple[Block, Parameters]:
    block = make_block(cell, size, HIDDEN, options)
    parameters = Parameters(block.parameter_specs(), np.float64)
    parameters.values[...] = np.random.default_rng(1).standard_normal(len(parameters))
    return block, parameters


def input_and_state(block: Block, batch: int = BATCH) -> tuple[Array, State]:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((block.input_size, batch))
    return x, tuple(rng.standard_normal((HIDDEN, batch)) for _ in block.state_names)


@EVERY
@SIZES
def test_the_equations_are_what_the_block_computes(cell: str, options: dict[str, str], size: int) -> None:
    block, parameters = block_and_parameters(cell, options, size)
    x, state = input_and_state(block)
    values = evaluate_step(block, parameters.views, x, state)
    operand, tape = block.new_operand(size, np.float64), block.new_tape(size, 1, BATCH, np.float64)
    block.pack(parameters.views, operand)
    tape.x[0] = x
    output = np.empty((1, HIDDEN, BATCH))
    after = block.forward(operand, tape, state, NOWHERE, output)
    np.testing.assert_allclose(values["a"], output[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(state_after(block, values), after, rtol=0, atol=1e-12)


@EVERY
@SIZES
def test_every_parameter_occurs_and_nothing_that_is_not_defined(cell: str, options: dict[str, str], size: int) -> None:
    block, parameters = block_and_parameters(cell, options, size)
    before = {"x", *(f"{STATE_SYMBOLS[part]}_prev" for part in block.state_names)}
    defined, used = set(parameters.views) | before, set()
    for equation in equations_of(block):
        assert equation.about, equation.text
        functions = {each.func for each in ast.walk(equation.value) if isinstance(each, ast.Call)}
        names = [each.id for each in ast.walk(equation.value) if isinstance(each, ast.Name) and each not in functions]
        assert set(names) <= defined, equation.text
        assert not set(equation.targets) & defined, equation.text
        used |= set(names)
        defined |= set(equation.targets)
    assert used >= set(parameters.views) | before
    assert defined >= {"a", *(STATE_SYMBOLS[part] for part in block.state_names)}


def arithmetic(text: str, norms: list[Normalization]) -> list[float]:
    """What a text of numbers comes to, by Python, with the mean and deviation of the one ``norm`` it may have."""

    def norm(*numbers: float) -> Any:
        (found,) = norms
        normal = tuple((number - found.mean) / found.deviation for number in numbers)
        return normal if len(normal) > 1 else normal[0]

    found = eval(text, {"__builtins__": {}, **FUNCTIONS, "norm": norm})  # noqa: S307 - the text is from put_in
    return [float(each) for each in (found if isinstance(found, tuple) else (found,))]


@EVERY
@SIZES
def test_the_numbers_put_in_come_to_the_value(cell: str, options: dict[str, str], size: int) -> None:
    """Each step of the arithmetic by itself, for every unit, to the rounding of its numbers."""
    block, parameters = block_and_parameters(cell, options, size)
    values = evaluate_step(block, parameters.views, *input_and_state(block, 1))
    for equation in equations_of(block):
        norms = normalizations(equation.value, values)
        assert len(norms) == equation.text.count("norm(")
        for unit in range(HIDDEN):
            expected = [float(values[name][unit, 0]) for name in equation.targets]
            steps = put_in(equation.value, values, unit)
            assert len(steps) > 1
            assert steps[-1] == ", ".join(f"{number:z.4f}" for number in expected)
            for step in steps:
                assert arithmetic(step, norms) == pytest.approx(expected, abs=1e-3), (equation.text, step)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("p * q", ["0.5000 * (-0.2000)", "-0.1000"]),
        ("q * p", ["-0.2000 * 0.5000", "-0.1000"]),
        ("p + q", ["0.5000 - 0.2000", "0.3000"]),
        ("q + q", ["-0.2000 - 0.2000", "-0.4000"]),
        ("p - q", ["0.5000 - (-0.2000)", "0.7000"]),
        ("p + q * p", ["0.5000 + (-0.2000) * 0.5000", "0.4000"]),
        ("p + (q + p)", ["0.5000 + (-0.2000 + 0.5000)", "0.8000"]),
        ("p - (p - q)", ["0.5000 - (0.5000 - (-0.2000))", "-0.2000"]),
        ("p - p - p", ["0.5000 - 0.5000 - 0.5000", "-0.5000"]),
        ("(1 - q) * p", ["(1 - (-0.2000)) * 0.5000", "0.6000"]),
        ("(q + 1) * q", ["(-0.2000 + 1) * (-0.2000)", "-0.1600"]),
        ("sqrt(3) * p", ["sqrt(3) * 0.5000", "1.7321 * 0.5000", "0.8660"]),
        ("p * (sqrt(3) * p)", ["0.5000 * (sqrt(3) * 0.5000)", "0.5000 * (1.7321 * 0.5000)", "0.4330"]),
        ("relu(q)", ["relu(-0.2000)", "0.0000"]),
        ("tiny", ["0.0000"]),
        ("p * tanh(q + p)", ["0.5000 * tanh(-0.2000 + 0.5000)", "0.5000 * tanh(0.3000)", "0.5000 * 0.2913", "0.1457"]),
        ("tanh(p) - tanh(q + q)", ["tanh(0.5000) - tanh(-0.2000 - 0.2000)", "0.4621 - tanh(-0.4000)"]),
        ("M @ v + q", ["3.0000 - 0.2000", "2.8000"]),
        ("M @ (p * v)", ["0.5000"]),
        (
            "tanh(p * norm(v) + q)",
            ["tanh(0.5000 * norm(1.0000) - 0.2000)", "tanh(0.5000 * (-1.0000) - 0.2000)", "tanh(-0.7000)", "-0.6044"],
        ),
        ("p * norm(v)", ["0.5000 * norm(1.0000)", "0.5000 * (-1.0000)", "-0.5000"]),
    ],
)
def test_signs_and_parentheses_are_as_a_person_would_write_them(text: str, steps: list[str]) -> None:
    values = {
        **{name: np.array([[0.0], [number]]) for name, number in [("p", 0.5), ("q", -0.2), ("tiny", -1e-9)]},
        "M": np.array([[1.0, 0.0], [1.0, 1.0]]),
        "v": np.array([[2.0], [1.0]]),
    }
    value = read_equation(f"z = {text}  # number").value
    found = put_in(value, values, 1)
    assert found[: len(steps)] == steps
    assert found[-1] == f"{float(evaluate(value, values)[1, 0]):z.4f}"


def test_an_equation_is_read_with_its_name() -> None:
    equation = read_equation("    p, q = norm(y, z)  # two halves")
    assert (equation.targets, equation.text, equation.about) == (("p", "q"), "norm(y, z)", "two halves")


def test_nothing_but_equations_is_evaluated() -> None:
    with pytest.raises(ValueError, match="no part of an equation: -p"):
        evaluate(read_equation("z = -p  # number").value, {"p": np.ones((1, 1))})
