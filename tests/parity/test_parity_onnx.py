"""ONNX Runtime itself, on random weights of random sizes, finds what a block does; and what is stored of it is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import make_golden_onnx
import numpy as np
import pytest
from golden_cases import assert_block_equals
from make_golden_onnx import RUNS, Sizes
from reference import GOLDEN, load_golden_onnx
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from pathlib import Path

OPERATORS = {name: (network, operator, attributes) for name, network, operator, attributes in RUNS}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", OPERATORS)
def test_operators(kind: str, seed: int, tmp_path: Path) -> None:
    """Outputs and states, to 1e-5 in single precision."""
    rng = np.random.default_rng(seed)
    input_size, hidden, time, batch = (int(size) for size in rng.integers((1, 2, 1, 1), (12, 16, 20, 7)))
    sizes = Sizes(input_size, hidden, time, batch, scale=0.7 * hidden**-0.5)  # larger, and ReLU would explode
    network, operator, attributes = OPERATORS[kind]
    path = tmp_path / "found.safetensors"
    make_golden_onnx.write(path, network, make_golden_onnx.make(network, operator, attributes, rng, sizes))
    assert_block_equals(load_golden_onnx(path))


def test_what_is_stored_is_what_onnx_runtime_finds(tmp_path: Path) -> None:
    """Every file made again, to 1e-6."""
    make_golden_onnx.main(tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in GOLDEN.glob("onnx-*"))
    for name in made:
        stored, found = load_file(GOLDEN / name), load_file(tmp_path / name)
        assert stored.keys() == found.keys()
        for tensor, value in stored.items():
            np.testing.assert_allclose(found[tensor], value, rtol=0, atol=1e-6, err_msg=f"{name}: {tensor}")
