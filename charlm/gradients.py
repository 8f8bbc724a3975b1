"""How the gradient of a prediction fades over the steps before it: vanishing and exploding gradients, measured.

The loss at one step t is L_t = -log P(token t | tokens before it). Through the state s that is carried from step to
step it depends on all earlier ones. Measured is the Euclidean norm of

    dL_t / ds_{t-k},  s = h or c,  k = 1, 2, ...

that is, of what backpropagation through time carries across the boundary between steps t-k and t-k+1, per layer and
per part of the state, averaged over positions t (Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013, whose
vanishing and exploding gradients are the fall and the rise of this curve). The h of a layer at step t-k is also the
input of the layer above at that step; that way is not counted, only that of the copy which is carried on. Likewise
dL/dc is that by the carried cell, with h held fixed.

Everything is float64: a gradient that has faded to 1e-40 is still a number.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.errors import InputError
from charlm.nn.arrays import Flags, Ids, States
from charlm.nn.language_model import LanguageModel, Workspace

WARM = 256
"""Steps before the first that is measured, where the text has them, so that the state is one of mid-text."""
LANES = 64
"""Positions that are measured side by side, at most."""
MOST_STEPS = LANES * 128
"""Steps whose tapes are kept, of all lanes together: far lags are measured in fewer lanes."""
WINDOW = 64
"""Steps that only warm up are run so many at a time."""


@dataclass(frozen=True)
class Decay:
    """The fading of one part of one layer's state.

    Attributes:
        layer: from 1, the bottom one.
        part: "hidden" or "cell".
        norms: [K], mean norm of dL_t / ds_{t-k} for k = 1 .. K.
        deviations: [K], standard deviation of the norms over positions.
    """

    layer: int
    part: str
    norms: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Such as "layer 1 hidden"."""
        return f"layer {self.layer} {self.part}"

    def lag_below(self, share: float) -> int | None:
        """The first lag whose norm is below a share of that at lag 1; None if there is none."""
        below = np.flatnonzero(self.norms < share * self.norms[0])
        return int(below[0]) + 1 if below.size else None


@dataclass(frozen=True)
class Measurement:
    """Gradients by lag.

    Attributes:
        decays: one for each part of each layer's state, from the bottom up.
        positions: how many positions they are means over, the same ones for every lag.
    """

    decays: tuple[Decay, ...]
    positions: int

    @property
    def lags(self) -> int:
        """K, how far back was measured."""
        return len(self.decays[0].norms)


def measure(
    model: LanguageModel, ids: Ids, *, line_end: int | None, lags: int, positions: int, seed: int = 1
) -> Measurement:
    """Measure how gradients fade over the steps of a text.

    Args:
        model: whose gradients; its parameters are not changed.
        ids: [N], the text.
        line_end: where lines are independent, the id that ends one: nothing reaches back beyond its line.
        lags: K, most steps to go back; fewer where not so many positions have so many steps before them as
            ``positions`` says, or as a quarter of the text's, whichever is less.
        positions: how many positions to average over, the same for every lag; drawn at random where there are more.
        seed: of that draw.

    Raises:
        UsageError: ``lags`` or ``positions`` is below 1.
        InputError: the text is too short for a single lag.
    """
    require("--lags", lags, minimum=1)
    require("--positions", positions, minimum=1)
    begins = _begins(ids, line_end)
    lags, chosen = _chosen(begins, lags, positions, np.random.default_rng(seed))
    exact = _in_float64(model)
    lanes = max(1, min(LANES, MOST_STEPS // lags))
    groups = [chosen[i : i + lanes] for i in range(0, len(chosen), lanes)]
    norms = np.concatenate([_measure_lanes(exact, ids, each, begins[each], lags) for each in groups], axis=-1)
    names = [(k + 1, part) for k, block in enumerate(exact.stack.blocks) for part in block.state_names]
    rows = zip(names, norms.mean(axis=-1), norms.std(axis=-1), strict=True)
    return Measurement(tuple(Decay(*name, mean, deviation) for name, mean, deviation in rows), len(chosen))


def _begins(ids: Ids, line_end: int | None) -> NDArray[np.int64]:
    """For each token, where its text begins."""
    if line_end is None:
        return np.zeros(ids.size, np.int64)
    bounds = np.concatenate(([0], np.flatnonzero(ids[:-1] == line_end) + 1))
    return np.repeat(bounds, np.diff(np.append(bounds, ids.size)))


def _chosen(
    begins: NDArray[np.int64], lags: int, positions: int, generator: np.random.Generator
) -> tuple[int, NDArray[np.int64]]:
    """How far back to measure, and the positions at which to: all of them have so many steps before them."""
    before = np.arange(begins.size) - begins
    steps = np.sort(before[before >= 1])[::-1]  # a text's first token has none before it
    if not steps.size:
        raise InputError("the text is too short to measure gradients over steps: give one of at least two tokens")
    enough = min(positions, max(1, steps.size // 4))
    lags = min(lags, int(steps[enough - 1]))
    return lags, np.sort(generator.permutation(np.flatnonzero(before >= lags))[:positions])


def _in_float64(model: LanguageModel) -> LanguageModel:
    exact = LanguageModel(model.config, np.float64)
    exact.parameters.values[...] = model.parameters.values
    return exact if model.label is None else exact.under(model.label)


def _measure_lanes(
    model: LanguageModel, ids: Ids, positions: NDArray[np.int64], begins: NDArray[np.int64], lags: int
) -> NDArray[np.float64]:
    """Norms [parts, K, lanes] by lag of the losses at ``positions``, each with its own steps before it in a lane."""
    first = np.maximum(begins, positions - lags - WARM)
    time = int((positions - first).max()) + 1
    steps = np.arange(time)[:, None] - (time - 1) + positions  # [T, B], the token that each step predicts
    starts = steps == first
    begun = (steps >= first) & (steps > begins)  # what stands before is no token, or a start
    inputs = np.where(begun, ids[np.maximum(steps - 1, 0)].astype(np.int64), -1)
    states, work = model.initial_states(positions.size), model.new_workspace(WINDOW, positions.size)
    for begin in range(0, time - lags, WINDOW):
        part = slice(begin, min(begin + WINDOW, time - lags))
        states = model.advance(work, inputs[part], starts[part], states)
    return _norms(model, work, inputs[-lags:], starts[-lags:], ids[positions].astype(np.int64), states)


def _norms(
    model: LanguageModel, work: Workspace, inputs: Ids, starts: Flags, targets: Ids, states: States
) -> NDArray[np.float64]:
    """Norms [parts, T, B] of the gradients of the loss at the last step by the states before it, the nearest first.

    The steps are run one at a time, each on a tape of its own, since the gradients between them are what is wanted.
    """
    time, batch = inputs.shape
    steps = [replace(work, tape=model.stack.new_tape(1, batch, np.float64)) for _ in range(time)]
    for t, step in enumerate(steps[:-1]):
        states = model.advance(step, inputs[t : t + 1], starts[t : t + 1], states)
    _, _, d_states = model.loss_and_gradients(steps[-1], inputs[-1:], targets[None], starts[-1:], states)
    found = [d_states]
    for t in reversed(range(time - 1)):
        steps[t].tape.d_outputs[...] = 0
        d_states = model.stack.backward(
            model.parameters,
            work.operands,
            work.d_operands,
            steps[t].tape,
            work.columns,
            inputs[t : t + 1],
            starts[t : t + 1],
            d_states,
        )
        found.append(d_states)
    # The loss is a mean over lanes: each lane's own has a gradient so many times as large.
    by_lag = [[batch * np.linalg.norm(part, axis=0) for state in each for part in state] for each in found]
    return np.swapaxes(np.array(by_lag), 0, 1)
