"""The learning rate falls where validation does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.train_config import TrainConfig
from charlm.training.plateau import is_stuck, share
from charlm.training.progress import Progress


def shares(losses: list[float], config: TrainConfig) -> list[float]:
    """What the learning rate is multiplied by behind each validation."""
    state, found = Progress(), []
    for number, loss in enumerate(losses):
        state.step += 1
        state.validated(loss, number)
        state.reductions += is_stuck(config, state)
        found.append(share(config, state))
    return found


def reference(losses: list[float], factor: float, after: int) -> list[float]:
    """As PyTorch counts: bad validations since the best, or since the rate fell last."""
    best, bad, rate, found = float("inf"), 0, 1.0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad == after:
            rate, bad = rate * factor, 0
        found.append(rate)
    return found


LOSSES = st.lists(st.integers(1, 9).map(float), max_size=40)


@given(LOSSES, st.floats(0.1, 0.9), st.integers(1, 5))
def test_it_falls_as_often_as_it_should(losses: list[float], factor: float, after: int) -> None:
    config = TrainConfig(steps=1, schedule="plateau", plateau_factor=factor, plateau_after=after)
    assert shares(losses, config) == pytest.approx(reference(losses, factor, after))


@given(LOSSES, st.sampled_from(["cosine", "linear", "constant"]))
def test_other_schedules_do_not_ask(losses: list[float], schedule: str) -> None:
    assert set(shares(losses, TrainConfig(steps=1, schedule=schedule))) <= {1.0}


def test_an_example() -> None:
    """Two without gain, two more, and a gain that begins the count anew."""
    config = TrainConfig(steps=1, schedule="plateau", plateau_factor=0.5, plateau_after=2)
    assert shares([5, 6, 7, 8, 9, 4, 5, 4, 4], config) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]
