"""PyTorch with the same masks, losses and penalties, written as the authors' code has them, finds the same gradients.

The masks are the engine's. DropConnect stands for the recurrent matrix as in the weight-dropped LSTM, penalties and
their means as in the AWD-LSTM's training loop, smoothed targets are those of ``CrossEntropyLoss``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nn_cases import fresh_model

from charlm.nn.parameters import below
from charlm.nn.regularization import Regularization

SIZES: dict[str, Any] = {"vocabulary": 11, "embedding": 6, "hidden": 8}
TIME, BATCH, LAYERS = 12, 5, 2
SETTINGS: dict[str, dict[str, Any]] = {
    "embedding": {"embedding": 0.4},
    "dropconnect": {"recurrent": 0.5},
    "variational": {"inputs": 0.3, "layers": 0.4, "outputs": 0.5, "variational": True},
    "plain": {"inputs": 0.3, "layers": 0.4, "outputs": 0.5},
    "activation": {"activation": 2.0, "outputs": 0.4},
    "slowness": {"slowness": 3.0, "outputs": 0.4},
    "smoothing": {"smoothing": 0.1},
    "all": {
        "embedding": 0.2, "inputs": 0.3, "layers": 0.4, "outputs": 0.5, "recurrent": 0.5, "variational": True,
        "activation": 2.0, "slowness": 1.0, "smoothing": 0.1,
    },
}  # fmt: skip


def layer(kind: str, p: dict[str, Any], x: Any) -> Any:
    """One layer of PyTorch's own, from zeros, on x [T, B, X]; parameters by charlm's names."""
    start = torch.zeros(1, BATCH, SIZES["hidden"], dtype=torch.float64)
    how = True, 1, 0.0, True, False, False  # biases, layers, dropout, training, bidirectional, batch first
    if kind == "rnn-tanh":
        flat = [p["W_ax"], p["W_aa"], p["b_a"], torch.zeros_like(p["b_a"])]
        return torch.rnn_tanh(x, start, flat, *how)[0]
    order = {"lstm": "ufco", "gru-after": "ruc"}[kind]
    signs = {"u": -1 if kind == "gru-after" else 1}  # PyTorch's z is 1 - u
    W_x, W_a, b = (
        torch.cat([signs.get(gate, 1) * p[name.replace("g", gate)] for gate in order])
        for name in ("W_gx", "W_ga", "b_g")
    )
    other = torch.zeros_like(b)
    if kind == "gru-after":
        other = torch.cat([torch.zeros(2 * SIZES["hidden"], dtype=torch.float64), p["b_ca"]])
        return torch.gru(x, start, [W_x, W_a, b, other], *how)[0]
    return torch.lstm(x, (start, start), [W_x, W_a, b, other], *how)[0]


def theirs(kind: str, parameters: dict[str, Any], tape: Any, how: Regularization, inputs: Any, targets: Any) -> Any:
    """The objective, from the masks on a tape."""

    def on(values: Any, mask: Any) -> Any:
        """A mask [T, rows, B] times values [T, B, rows]."""
        return values if mask is None else values * torch.tensor(mask.swapaxes(1, 2))

    table = parameters["embedding"]
    table = table if tape.scales is None else table * torch.tensor(tape.scales)[:, None]
    x = on(torch.nn.functional.embedding(torch.tensor(inputs), table), tape.inputs.mask)
    raw = x
    for k in range(LAYERS):
        own: dict[str, Any] = dict(below(parameters, f"layers.{k}."))
        own |= {name: own[name] * torch.tensor(mask) for name, mask in tape.connections[k].masks.items()}
        raw = layer(kind, own, x)
        x = on(raw, tape.dropout[k].mask)
    logits = (x @ parameters["head.W_y"].T + parameters["head.b_y"]).reshape(-1, SIZES["vocabulary"])
    loss = torch.nn.CrossEntropyLoss(label_smoothing=how.smoothing)(logits, torch.tensor(targets.reshape(-1)))
    loss = loss + how.activation * x.pow(2).mean()
    return loss + how.slowness * (raw[1:] - raw[:-1]).pow(2).mean()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["lstm", "gru-after", "rnn-tanh"])
def test_the_same_masks_give_the_same_gradients(kind: str, setting: str) -> None:
    """Every gradient, to 1e-11."""
    torch.set_num_threads(1)
    rng, how = np.random.default_rng(3), Regularization(np.random.default_rng(7), **SETTINGS[setting])
    model = fresh_model(kind, layers=LAYERS, **SIZES)
    model = model.gathering() if how.inputs else model
    inputs, targets = rng.integers(0, SIZES["vocabulary"], (2, TIME, BATCH))
    work, starts = model.new_workspace(TIME, BATCH), np.zeros((TIME, BATCH), bool)
    model.pack(work, how)
    model.loss_and_gradients(work, inputs, targets, starts, model.zero_states(BATCH), how)
    parameters: dict[str, Any] = {
        name: torch.tensor(view, requires_grad=True) for name, view in model.parameters.views.items()
    }
    theirs(kind, parameters, work.tape, how, inputs, targets).backward()
    for name, gradient in model.parameters.gradients.items():
        assert np.any(gradient)
        np.testing.assert_allclose(gradient, parameters[name].grad.numpy(), rtol=0, atol=1e-11, err_msg=name)
