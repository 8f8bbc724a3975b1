"""docs/blocks.md: its lines are lines of the code, and its example is a block."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charlm
from charlm.config import ModelConfig
from charlm.explain import explain
from charlm.gradients import measure
from charlm.nn.equations import evaluate_step, state_after
from charlm.nn.language_model import LanguageModel
from charlm.nn.parameters import Parameters
from charlm.nn.registry import BLOCKS, Entry, make_block
from charlm.nn.stack import NOWHERE
from charlm.samples import read_prompt
from charlm.training import label_options, options

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^\| equation \| line in `(.*?)` \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ROWS = [(file, row) for file, rows in TABLES for row in rows.splitlines()]


@pytest.mark.parametrize(("file", "row"), ROWS, ids=[f"{file}-{i}" for i, (file, _) in enumerate(ROWS)])
def test_every_line_of_the_tables_is_in_the_code(file: str, row: str) -> None:
    line = re.fullmatch(r"\| .* \| `(.*)` \|", row)
    assert line, row
    found = [text.strip() for text in (ROOT / "charlm" / file).read_text(encoding="utf-8").splitlines()]
    assert line[1] in found


def test_the_encoder_is_used_as_the_page_shows() -> None:
    """A step down the gradient lowers what was summed."""
    found: dict[str, Any] = {}
    exec(CODE[0], found)  # noqa: S102 - our own page
    before, after = found["outputs"], found["encode"](found["texts"])
    assert before.shape == (5, 32, 2)
    there = found["lanes"].ids >= 0
    assert after.swapaxes(1, 2)[there].sum() < before.swapaxes(1, 2)[there].sum()
    assert found["d_texts"].shape == (8, 10)


def test_every_block_has_its_section() -> None:
    for cell, entry in BLOCKS.items():
        assert f"`--cell {cell}`" in PAGE
        for option, about in entry.options.items():
            assert f"`--{option} {'|'.join(about.values)}`" in PAGE
        module = entry.maker.split(":")[0].split(".", 1)[1].replace(".", "/")
        assert f"line in `{module}.py`" in PAGE


LISTS = (options, label_options)
"""The lists of options name the blocks there are when they are first loaded: before the example is one of them."""


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's example as a file that can be imported, and its line in the registry."""
    code, line = CODE[1:3]
    (tmp_path / "ugrnn.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ugrnn", raising=False)
    name, entry = eval(f"{{{line}}}", {"_HERE": "here", "Entry": Entry}).popitem()  # noqa: S307 - our own page
    monkeypatch.setitem(BLOCKS, name, entry._replace(maker=entry.maker.removeprefix("here.")))


@pytest.mark.usefixtures("example")
def test_the_example_has_the_gradients_of_its_loss() -> None:
    model = LanguageModel(ModelConfig(6, "ugrnn", layers=2, hidden=4, embedding=3, initial="learned"), np.float64)
    model.initialize(1)
    rng = np.random.default_rng(0)
    model.parameters.values += 0.3 * rng.standard_normal(len(model.parameters))
    inputs, targets = rng.integers(-1, 6, (2, 5, 3))
    starts, states = rng.random((5, 3)) < 0.2, model.initial_states(3)
    work = model.new_workspace(5, 3)
    model.loss_and_gradients(work, inputs, targets, starts, states)
    gradient, values = model.parameters.gradient_values.copy(), model.parameters.values

    def loss() -> float:
        model.pack(work)
        logprobs, _ = model.log_probabilities(work, inputs, targets, starts, states)
        return -float(logprobs.sum()) / np.count_nonzero(targets >= 0)

    for index in rng.permutation(len(values))[:60]:
        value, slope = values[index], 0.0
        for sign in (1, -1):
            values[index] = value + sign * 1e-5
            slope += sign * loss() / 2e-5
        values[index] = value
        assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.usefixtures("example")
def test_the_example_computes_its_equations() -> None:
    block, rng = make_block("ugrnn", 3, 4, {}), np.random.default_rng(1)
    parameters = Parameters(block.parameter_specs(), np.float64)
    parameters.values[...] = rng.standard_normal(len(parameters))
    operand, tape, output = block.new_operand(3, np.float64), block.new_tape(3, 1, 2, np.float64), np.empty((1, 4, 2))
    block.pack(parameters.views, operand)
    x, state = rng.standard_normal((3, 2)), (rng.standard_normal((4, 2)),)
    tape.x[0] = x
    after = block.forward(operand, tape, state, NOWHERE, output)
    values = evaluate_step(block, parameters.views, x, state)
    np.testing.assert_allclose(output[0], values["a"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(after[0], state_after(block, values)[0], rtol=0, atol=1e-14)


@pytest.mark.usefixtures("example")
def test_the_example_runs_forward_without_a_way_back() -> None:
    """Its tape without ``keep`` holds the gates of one step, and gives the same bits."""
    block, rng = make_block("ugrnn", 3, 4, {}), np.random.default_rng(1)
    parameters = Parameters(block.parameter_specs(), np.float64)
    parameters.values[...] = rng.standard_normal(len(parameters))
    operand, x, state = block.new_operand(3, np.float64), rng.standard_normal((5, 3, 2)), (np.ones((4, 2)),)
    block.pack(parameters.views, operand)
    outputs = np.empty((2, 5, 4, 2))
    for output, keep in zip(outputs, (True, False), strict=True):
        tape = block.new_tape(3, 5, 2, np.float64, keep=keep)
        tape.x[...] = x
        block.forward(operand, tape, state, NOWHERE, output)
        assert np.shares_memory(tape.d_gates[0], tape.d_gates[1]) == (not keep)
    np.testing.assert_array_equal(*outputs)


@pytest.mark.usefixtures("example")
def test_the_example_is_trained_and_used_like_any_other(tmp_path: Path) -> None:
    text = "abcabcabdabc\n" * 60
    model = charlm.train(text=text, cell="ugrnn", hidden=16, steps=60, folder=tmp_path / "run")
    again = charlm.load(tmp_path / "run")
    assert again.score("abcabc").logprob == model.score("abcabc").logprob
    assert model.score("abcabc").logprob > model.score("cbacba").logprob
    assert model.sample(seed=1, length=5)
    assert measure(model.trained.network, model.trained.tokenizer.encode(text), line_end=None, lags=3, positions=9)
    assert list(explain(model.trained, read_prompt(model.trained, "abc")))
