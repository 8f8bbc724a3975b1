"""PyTorch's AdaptiveLogSoftmaxWithLoss computes what the adaptive head computes."""

from typing import Any

import numpy as np
import pytest
import torch

from charlm.nn.heads.adaptive import SHRINKS, AdaptiveHead, cutoffs

HIDDEN, TIME, BATCH = 32, 6, 5


@pytest.mark.parametrize("vocabulary", [60, 400])
def test_log_probabilities_and_gradients(vocabulary: int) -> None:
    """Of every token and by every parameter, in float64."""
    rng, head = np.random.default_rng(1), AdaptiveHead(HIDDEN, vocabulary)
    views = {spec.name: 0.5 * rng.standard_normal(spec.shape) for spec in head.parameter_specs()}
    gradients = {name: np.empty_like(view) for name, view in views.items()}
    activations = rng.standard_normal((HIDDEN, TIME, BATCH))
    d_activations, targets = np.empty_like(activations), rng.integers(0, vocabulary, (TIME, BATCH))
    scratch = head.new_scratch(TIME * BATCH, np.float64)
    total, count = head.loss_and_gradients(views, gradients, activations, targets, d_activations, scratch)
    module: Any = torch.nn.AdaptiveLogSoftmaxWithLoss(
        HIDDEN, vocabulary, cutoffs(vocabulary), div_value=SHRINKS, head_bias=True, dtype=torch.float64
    )
    theirs: dict[str, Any] = {"W_y": module.head.weight, "b_y": module.head.bias}
    for k, tail in enumerate(module.tail):
        theirs |= {f"tails.{k}.W_p": tail[0].weight, f"tails.{k}.W_y": tail[1].weight}
    with torch.no_grad():
        for name, view in views.items():
            theirs[name].copy_(torch.tensor(view))
    outputs: Any = torch.tensor(activations.reshape(HIDDEN, -1).T, requires_grad=True)
    _, loss = module(outputs, torch.tensor(targets.reshape(-1)))
    loss.backward()
    assert total / count == pytest.approx(loss.item(), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, theirs[name].grad.numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(d_activations.reshape(HIDDEN, -1).T, outputs.grad.numpy(), rtol=0, atol=1e-12)
    with torch.no_grad():
        expected = module.log_prob(outputs).numpy().T
    np.testing.assert_allclose(head.logits(views, activations.reshape(HIDDEN, -1)), expected, rtol=0, atol=1e-12)
