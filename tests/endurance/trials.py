"""Seeded trials: a case, a folder with or without an earlier run, and whatever strikes."""

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from endurance.cases import (
    MODEL,
    STATE,
    Case,
    Reference,
    check_finished,
    check_usable,
    copy_of,
    draw,
    expect,
    refer,
    visible,
)
from endurance.children import Ended, run
from endurance.moments import Moments

CASES = 16
"""How many kinds of runs a seed has."""
MANNERS = ("new", "new", "replaces a finished run", "replaces a stopped run")


def interrupt() -> None:
    """End this process as a machine does that shuts down."""
    os.kill(os.getpid(), signal.SIGTERM)


class Ground:
    """Where trials of one seed take place: their texts, and what their cases end in undisturbed.

    Args:
        place: a folder, with the corpora in it.
        seed: decides everything but how fast the machine is.
        make: makes a case; another one than ``draw`` for trials of one case.
    """

    def __init__(self, place: Path, seed: int, make: Callable[[random.Random, Path], Case] = draw) -> None:
        self.place = place
        self.seed = seed
        self._make = make
        self._references: dict[int, Reference] = {}
        self._earlier: dict[tuple[int, bool], Path] = {}

    def source(self, *about: object) -> random.Random:
        """A generator of its own for everything."""
        return random.Random(f"{self.seed} {about}")  # noqa: S311 - no secret

    def reference(self, number: int) -> Reference:
        """One of the cases, undisturbed."""
        if number not in self._references:
            case = self._make(self.source("case", number), self.place)
            self._references[number] = refer(case, self.place / f"undisturbed-{number}")
        return self._references[number]

    def earlier(self, number: int, *, stopped: bool) -> Path:
        """A run of another seed that a case is to replace."""
        key = (number, stopped)
        if key not in self._earlier:
            reference, folder = self.reference(number), self.place / f"earlier-{number}-{stopped}"
            halfway = Moments(folder, reference.moments // 2, strike=interrupt) if stopped else None
            ended = run(reference.case.begin(folder, "--seed", "9"), reference.case.prepare(halfway))
            expect(ended.status in (0, 130), f"an earlier run ends with {ended}")
            self._earlier[key] = folder
        return self._earlier[key]


class Trial:
    """One run that is disturbed again and again until it is let go on to its end.

    Args:
        ground: where.
        name: of the trial, which decides what happens.
        manner: one of ``MANNERS``; None to have it drawn.

    Attributes:
        source: what draws what happens.
        folder: of the run.
        story: what has happened so far, in words.
        has_begun: whether the run has left something; until then its folder is as it was.
    """

    def __init__(self, ground: Ground, name: str, manner: str | None = None) -> None:
        self.source = ground.source(name)
        number = self.source.randrange(CASES)
        self.reference = ground.reference(number)
        self.case = self.reference.case
        self.folder = ground.place / name
        manner = manner or self.source.choice(MANNERS)
        self.story = [str(self.case), manner]
        self._earlier: dict[str, bytes] | None = None
        if manner != MANNERS[0]:
            self._earlier = copy_of(ground.earlier(number, stopped="stopped" in manner), self.folder)
        self.has_begun = False

    @property
    def command(self) -> list[object]:
        """What a user types next: the run is begun, or goes on if it has left something."""
        if self.has_begun and has_state(self.folder):
            return ["train", "--resume", "--model", self.folder, "--quiet"]
        # What an earlier run has left is to be replaced; a killed run that has left nothing is in nobody's way.
        return self.case.begin(self.folder, *(["--overwrite"] if visible_model(self.folder) else []))

    def attempt(
        self,
        what: str,
        moments: Moments | None = None,
        kill_after: float | None = None,
        *,
        needs_state: bool = True,
    ) -> Ended:
        """Run the next command, disturbed; then everything that is there must be usable.

        Args:
            what: the disturbance, for the story.
            moments: one that strikes at a moment.
            kill_after: one that strikes after so many seconds.
            needs_state: whether a model of the run must have a state beside it.
        """
        verb = "resumed" if self.has_begun else "begun"
        ended = run(self.command, self.case.prepare(moments), kill_after)
        self.story.append(f"{verb}, {what}: {ended.status}")
        if check_usable(self.folder, None if self.has_begun else self._earlier):
            self.has_begun = True
            expect(has_state(self.folder) or not needs_state, "there is a model that cannot be gone on with")
        return ended

    def check_earlier(self) -> None:
        """An earlier run that is still there goes on as if nothing had happened to its folder."""
        if self.has_begun or self._earlier is None:
            return
        copy = self.folder.with_name(f"{self.folder.name}-again")
        shutil.copytree(self.folder, copy)
        ended = run(["train", "--resume", "--model", copy, "--quiet"], self.case.prepare())
        expect(ended == Ended(0, ""), f"the earlier run cannot go on: {ended}")
        shutil.rmtree(copy)

    def finish(self) -> None:
        """Undisturbed from here on, the run ends as if nothing had happened; its folder goes away."""
        ended = run(self.command, self.case.prepare())
        self.story.append(f"then undisturbed: {ended.status}")
        expect(ended == Ended(0, ""), f"going on ends with {ended}")
        check_finished(self.folder, self.reference)
        shutil.rmtree(self.folder)

    def told(self, error: Exception, words: str) -> str:
        """What went wrong, after what, and what repeats it."""
        return "\n  ".join((str(error), str(self.folder), *self.story, f"again: python tests/soak.py {words}"))


def has_state(folder: Path) -> bool:
    """Whether there is a state in a folder, or one that waits to be put in place."""
    return folder.exists() and any(STATE in path.name for path in folder.iterdir())


def visible_model(folder: Path) -> bool:
    """Whether there is a model in a folder."""
    return MODEL in visible(folder)
