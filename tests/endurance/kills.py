"""kill -9, at any time and inside writes: what is left can be used, and goes on as if nothing had happened."""

from collections import Counter
from collections.abc import Callable, Iterator

from endurance.cases import BrokenPromiseError
from endurance.children import KILLED
from endurance.moments import PHASES, Moments
from endurance.trials import Ground, Trial, interrupt

BY_CLOCK = 0.25
"""Share of the kills that come from outside, at a time; the others strike inside or between writes."""

STOPPED = 0.1
"""Share of the other moments at which a run is told to stop instead."""


def strike(trial: Trial) -> bool:
    """Kill the next command of a trial; whether it was still running."""
    source, reference = trial.source, trial.reference
    if source.random() < BY_CLOCK:
        moment = source.uniform(0, reference.seconds)
        return trial.attempt(f"killed after {moment:.3f} s", kill_after=moment).status == KILLED
    at, phase = source.randrange(reference.moments), source.choice(PHASES)
    if source.random() < STOPPED:
        # What a stop leaves is another folder to be killed in than what a kill leaves.
        trial.attempt(f"stopped at moment {at}", Moments(trial.folder, at, strike=interrupt))
        return False
    moments = Moments(trial.folder, at, phase)
    return trial.attempt(f"killed {phase} moment {at}", moments).status == KILLED


def one_trial(ground: Ground, index: int) -> int:
    """One run, killed one to three times; how often it was.

    Raises:
        BrokenPromiseError: with the story.
    """
    trial = Trial(ground, f"kills-{index}")
    try:
        kills = 0
        for _ in range(trial.source.choice((1, 1, 2, 3))):
            kills += strike(trial)
        if trial.source.random() < BY_CLOCK:
            trial.check_earlier()
        trial.finish()
    except BrokenPromiseError as error:
        raise BrokenPromiseError(trial.told(error, f"kills --seed {ground.seed} --first {index} --count 1")) from error
    return kills


def trials(ground: Ground, first: int) -> Iterator[tuple[int, int]]:
    """Trials from one on: the index of each and how many kills it had."""
    index = first
    while True:
        yield index, one_trial(ground, index)
        index += 1


def soak(ground: Ground, count: int, first: int, say: Callable[[str], None]) -> str:
    """So many kills; a line of what was seen."""
    seen: Counter[str] = Counter()
    for index, kills in trials(ground, first):
        seen["kills"] += kills
        seen["runs"] += 1
        say(f"kills: trial {index}, {seen['kills']} of {count}")
        if seen["kills"] >= count:
            return f"{seen['kills']} kills in {seen['runs']} runs: every folder usable, every run ended as undisturbed"
    raise AssertionError("trials do not end")
