"""PyTorch itself, on random weights of random sizes, finds what the engine does; and what is stored of it is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import make_golden
import make_golden_labels
import numpy as np
import pytest
import torch
from encoder_cases import assert_same, of_golden, run
from golden_cases import assert_engine_equals
from label_model_cases import HEADS, assert_label_model_equals
from make_golden import BLOCKS, DEPTHS, EncoderSizes, Sizes, make_encoder
from make_golden_labels import WHERE, make_labels, write_labels
from nn_cases import INPUT_PATHS
from reference import (
    DIRECTIONS,
    GOLDEN,
    LabelNetwork,
    Network,
    load_golden,
    load_golden_encoder,
    load_golden_labels,
)
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"-".join([cell, *options.values()]): (cell, options) for cell, options in BLOCKS}
SEEDS = range(3)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def scale_of(hidden: int) -> float:
    """Of weights with which ReLU does not explode."""
    return float(0.8 * hidden**-0.5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layers", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_language_models(kind: str, layers: int, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, logits, loss, states, and every gradient, to 1e-10."""
    rng = np.random.default_rng([layers, seed])
    vocabulary, embedding, hidden, time, batch = (
        int(size) for size in rng.integers((2, 1, 4, 1, 1), (40, 20, 30, 20, 9))
    )
    sizes = Sizes(vocabulary, embedding, hidden, time, batch, scale_of(hidden))
    cell, options = KINDS[kind]
    network, path = Network(cell, layers, options), tmp_path / "found.safetensors"
    make_golden.write(path, network, make_golden.make_model(network, rng, sizes))
    for folded in INPUT_PATHS.values():
        monkeypatch.setattr("charlm.nn.stack.folds", lambda *_, folded=folded: folded)
        assert_engine_equals(load_golden(path))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layers", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_encoders(kind: str, layers: int, seed: int, tmp_path: Path) -> None:
    """Bidirectional modules on packed sequences: outputs, states, and every gradient, to 1e-10."""
    rng = np.random.default_rng([layers, seed, 1])
    input_size, hidden, time, batch = (int(size) for size in rng.integers((1, 4, 2, 2), (20, 20, 15, 7)))
    lengths = (time, 1, *(int(length) for length in rng.integers(1, time + 1, batch)))
    cell, options = KINDS[kind]
    network, path = Network(cell, layers, options), tmp_path / "found.safetensors"
    sizes = EncoderSizes(input_size, hidden, time, lengths, scale_of(hidden))
    make_golden.write(path, network, make_encoder(network, rng, sizes))
    case, expected = of_golden(load_golden_encoder(path))
    assert_same(run(case), expected, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", KINDS)
def test_label_models(kind: str, head: str, seed: int, tmp_path: Path) -> None:
    """One or two directions, one to three layers, spellings, weights: loss and every gradient, to 1e-10."""
    rng = np.random.default_rng([seed, 2])
    where, output = HEADS[head]
    unit, pooling = WHERE[where]
    sizes = (int(size) for size in rng.integers((2, 1, 4, 2, 2, 1, 2), (30, 9, 20, 9, 20, 7, 8)))
    network, directions = Network(KINDS[kind][0], 1 + seed, KINDS[kind][1]), DIRECTIONS[: 1 + seed % 2]
    model = LabelNetwork(network, directions, unit, output, pooling, *sizes)
    lengths = tuple(int(length) for length in rng.integers(1, 15, 2 + seed * 3))
    path = tmp_path / "found.safetensors"
    write_labels(path, model, make_labels(model, rng, lengths, scale_of(model.hidden)))
    assert_label_model_equals(load_golden_labels(path))


def test_what_is_stored_is_what_pytorch_finds(tmp_path: Path) -> None:
    """Every file made again, to 1e-12."""
    make_golden.main(tmp_path)
    make_golden_labels.main(tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in GOLDEN.iterdir() if not path.name.startswith(("onnx-", "kenlm")))
    for name in made:
        stored, found = load_file(GOLDEN / name), load_file(tmp_path / name)
        assert stored.keys() == found.keys()
        for tensor, value in stored.items():
            np.testing.assert_allclose(found[tensor], value, rtol=0, atol=1e-12, err_msg=f"{name}: {tensor}")
