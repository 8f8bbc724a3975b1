"""Means of weights and the plateau schedule beside those of PyTorch."""

import random

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from charlm.nn.parameters import Parameters, ParameterSpec
from charlm.train_config import TrainConfig
from charlm.training.averaging import TriggeredAverage
from charlm.training.plateau import is_stuck, share
from charlm.training.progress import Progress


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("factor", [0.25, 0.5, 0.9])
def test_the_learning_rate_falls_where_pytorchs_does(factor: float, after: int) -> None:
    """Its patience is one less, and without a threshold any gain is one."""
    weight = torch.zeros(1, requires_grad=True)
    theirs = torch.optim.SGD([weight], lr=1.0)
    scheduler = ReduceLROnPlateau(theirs, factor=factor, patience=after - 1, threshold=0.0, eps=0.0)
    config = TrainConfig(steps=1, schedule="plateau", plateau_factor=factor, plateau_after=after)
    source, state = random.Random(after), Progress()  # noqa: S311 - no secret
    for number in range(60):
        loss = 5 / (1 + number) + source.random()
        state.validated(loss, number)
        state.reductions += is_stuck(config, state)
        scheduler.step(loss)
        assert share(config, state) == pytest.approx(theirs.param_groups[0]["lr"])
    assert state.reductions > 2


def test_the_plain_mean_is_pytorchs() -> None:
    """That of ``AveragedModel``, over the same weights."""
    parameters = Parameters([ParameterSpec("W", (3, 4), True)])
    ours, layer = TriggeredAverage(parameters, 1), torch.nn.Linear(4, 3, bias=False)
    theirs = AveragedModel(layer)
    for loss in (1.0, 2.0):
        ours.validated(loss)
    rng = np.random.default_rng(1)
    for step in range(30):
        parameters.values[...] = rng.standard_normal(12).astype(np.float32)
        if step == 0:
            # A validation worse than all those long ago begins the mean with the weights of that moment.
            ours.validated(3.0)
        else:
            ours.stepped()
        layer.weight.data = torch.from_numpy(parameters.views["W"].copy())
        theirs.update_parameters(layer)
    mean = next(theirs.parameters()).detach().numpy()
    np.testing.assert_allclose(ours.mean.reshape(3, 4), mean, rtol=0, atol=1e-6)
