"""``--replay``: a run done once more as its log has it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from charlm.cli.console import counted, note
from charlm.cli.progress import Interrupt, follow
from charlm.cli.run_options import Asked
from charlm.cli.runs import Trainable, announce, announce_no_lock, begun
from charlm.errors import InputError, ModelError, UsageError
from charlm.machine import fingerprint
from charlm.training.choices import SPEED
from charlm.training.config_file import read, write
from charlm.training.options import flag_of
from charlm.training.replay import begun_with, read_recording
from charlm.training.run import Run
from charlm.training.run_folder import CONFIG_FILE, RunFolder

SUFFIX = "-replay"
"""What the name of a run ends in that replays another, where it is given none."""


def replay(
    kind: Trainable[Any], source: Path, corpus: list[str], folder: Path | None, asked: Asked, options: dict[str, Any]
) -> None:
    """Do the run in a folder once more, in another one.

    Args:
        kind: of its model.
        source: its folder.
        corpus: names of its texts, where they are not where they were.
        folder: where to; None for its name with a suffix.
        asked: what else was typed.
        options: of training, of which there can be none.

    Raises:
        UsageError: an option is given, or both folders are the same.
        ModelError: the run cannot be replayed.
        InputError: its texts or its options cannot be read, or have changed.
    """
    if options:
        given = ", ".join(flag_of(name, kind.known[name][1]) for name in options)
        raise UsageError(f"--replay does a run once more as it was: leave out {given}")
    target = source.with_name(f"{source.resolve().name}{SUFFIX}") if folder is None else folder
    if target.resolve() == source.resolve():
        raise UsageError(f"{source} cannot be replayed in its own place: name another folder with --model")
    recording, state = read_recording(source, kind.kind)
    chosen = read(source / CONFIG_FILE, kind.known, kind.check)
    run = begun(kind, target, corpus or chosen.corpus, chosen.options, overwrite=asked.overwrite, quiet=asked.quiet)
    _check_same(run, source, state)
    if SPEED in state["about"]:
        # It was planned by the speed of then, which the model's record tells.
        run.about = {**run.about, SPEED: state["about"][SPEED]}
    run.replay(recording)
    with Interrupt().watching() as interrupt, closing(run.folder):
        run.claim()
        write(run.folder, kind.command, run.about["corpus"]["paths"], kind.options_of(run), kind.known)
        if not asked.quiet:
            announce(kind, run, chosen.options)
            announce_no_lock(run)
            note(f"replaying {counted(recording.ended, 'step')} of {source}, whatever the clock says")
        stop_at = recording.ended if recording.stopped else None
        follow(run, interrupt, kind.view(run), stop_at=stop_at, quiet=asked.quiet)
        if not asked.quiet:
            note(_verdict(run, source, state))


def _check_same(run: Run[Any], source: Path, state: Any) -> None:
    """See that a run begins as that in a folder began.

    Raises:
        InputError: its texts have changed.
        ModelError: its options have.
    """
    was, now = state["about"]["corpus"], run.about["corpus"]
    if any(was[name] != now[name] for name in ("digest", "valid_digest")):
        raise InputError(f"{source} cannot be replayed: its text has changed since. Put it back, or name it")
    before = {name: state["run"].get(name) for name in run.subject.to_json()}
    same = before == run.subject.to_json() and begun_with(state) == run.train
    if not same or state["about"].get("base") != run.about["base"]:
        raise ModelError(
            f"{source} cannot be replayed: its {CONFIG_FILE} is not that of its run, or the model that it began with "
            "has changed"
        )


def _verdict(run: Run[Any], source: Path, state: Any) -> str:
    """Whether the model came out the same."""
    if run.folder.model_file.read_bytes() == RunFolder(source).model_file.read_bytes():
        return f"the model is that of {source}, byte for byte"
    was, now = state["about"].get("made_with", {}), fingerprint()
    others = [f"{key} {was.get(key)} -> {value}" for key, value in now.items() if was.get(key) != value]
    machine = f"; the machine differs: {', '.join(others)}" if others else ""
    costs = f"; {counted(len(run.disagreed), 'validation')} came out otherwise" if run.disagreed else ""
    return f"the model is not that of {source}, byte for byte{costs}{machine}"
