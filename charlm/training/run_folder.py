"""The folder of a run: the model, the state to continue from, and the log.

    model.safetensors      the best weights by validation loss; all that using the model needs
    best.safetensors       only where a run was stopped with better ones: the best by a validation that counts
    training.safetensors   everything that continuing needs, and the digest of the model it goes with
    log.jsonl              one JSON object a report
    config.toml            the options that repeat the run
    .lock                  while a run is at work

Every file is written whole or not at all, and a model and the state that goes with it are put in place together. So a
run that is killed at any moment leaves a model that can be used and a state that can be continued from, or what was
there before.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import LANGUAGE_MODEL, MODEL_FILE
from charlm.errors import ModelError, OutputError
from charlm.files import FREE_OR_MOVE, Tensors, expect_tensors, file_size, read_tensors, write_atomically
from charlm.seal import sealed_bytes, unsealed
from charlm.training import log
from charlm.training.lock import LOCK_FILE, Lock, acquire
from charlm.training.together import digest, leftovers, replace_together, settle, waiting

STATE_FILE = "training.safetensors"
LOG_FILE = "log.jsonl"
BEST_FILE = "best.safetensors"
CONFIG_FILE = "config.toml"
FILES = (MODEL_FILE, BEST_FILE, LOG_FILE, CONFIG_FILE, STATE_FILE)
STATE_FORMAT = 5
_OF_TRAINING = ("optimizer.", "average.", "place.", "states.")
"""What the names of a state's tensors begin with that are not the model's."""


def _is_missing(path: Path) -> bool:
    """Whether nothing is there, not even a link; of what may not be looked at, reading says what is wrong."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def of_model(state: Tensors) -> Tensors:
    """Those of a state's tensors that stand in the model's file too."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(_OF_TRAINING)}


class RunFolder:
    """Reads and writes the files of one run; making the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model_file = path / MODEL_FILE
        self.state_file = path / STATE_FILE
        self.best_file = path / BEST_FILE
        self.log_file = path / LOG_FILE
        self._log_bytes = 0
        self._saved_digest: str | None = None
        self._lock: Lock | None = None
        self._prepared: bytes | None = None
        self._held: dict[str, bytes] | None = None

    def occupied(self) -> bool:
        """Whether it holds a model or the state of a run."""
        # Path.exists raises where it may not look.
        return any(os.path.exists(file) for file in (self.model_file, self.state_file))  # noqa: PTH110

    def check_free(self) -> None:
        """Make sure that a run that begins here takes nobody's place.

        Raises:
            OutputError: the folder holds a model, or a run is at work in it.
        """
        if not self.occupied():
            return
        if self._lock is None and (self.path / LOCK_FILE).exists():
            # That a run is at work is to be known before what to do with it once it has ended.
            acquire(self.path).release()
        go_on = "continue it with --resume, " if self._resumable() else ""
        raise OutputError(
            f"{self.path} holds a model already: {go_on}replace it with --overwrite, "
            "or write elsewhere with --model OTHER"
        )

    def _resumable(self) -> bool:
        return self.state_file.exists() or waiting(self.state_file, self._model_digest()).exists()

    def claim(self, *, overwrite: bool) -> None:
        """Make the folder, keep others out of it, and make sure that files can be written into it.

        Args:
            overwrite: whether an earlier run there is to be replaced: as soon as this one has something to save.

        Raises:
            OutputError: that is not so, or the folder holds a model and is not to be overwritten.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {self.path}: {error.strerror or error}. Name another with --model"
            ) from error
        self.lock()
        if overwrite:
            # An empty log too: the earlier one is to go even if there is nothing to log yet.
            self._held = {LOG_FILE: b""}
            return
        self.check_free()
        try:
            # Of a run that was killed before it had saved anything.
            self.log_file.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot clear {self.path}: {error.strerror or error}") from error

    def lock(self) -> None:
        """Keep others out until ``close``, and clear up after a run that was killed.

        Raises:
            OutputError: another run is at work in the folder, or it cannot be written.
        """
        self._lock = acquire(self.path)
        try:
            settle([self.path / name for name in FILES], self._model_digest())
            # Without a lock they may be those of a run that is at work.
            for path in leftovers(self.path, FILES) if self._lock.held else ():
                path.unlink()
        except OSError as error:
            raise OutputError(f"cannot clear {self.path}: {error.strerror or error}") from error

    @property
    def unlocked(self) -> bool:
        """Whether others cannot be kept out, since the file system has no locks."""
        return self._lock is not None and not self._lock.held

    def close(self) -> None:
        """Let others in again."""
        if self._lock is not None:
            self._lock.release()

    def forget(self) -> None:
        """Remove all that an earlier run has left besides the model, which is not its any more.

        Raises:
            OutputError: they cannot be removed.
        """
        try:
            for name in set(FILES) - {MODEL_FILE}:
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot clear {self.path}: {error.strerror or error}") from error

    def save_config(self, data: bytes) -> None:
        """Write the file of options, in the place of an earlier run's only once that run is replaced.

        Raises:
            OutputError: it cannot be written.
        """
        if self._held is not None:
            self._held[CONFIG_FILE] = data
        else:
            write_atomically(self.path / CONFIG_FILE, data)

    def save_model(self, model: bytes) -> None:
        """Write the model's file.

        Raises:
            OutputError: it cannot be written.
        """
        write_atomically(self.model_file, model)

    def prepare_model(self, model: bytes) -> None:
        """Have the next ``save_state`` put the model's file in place together with the state."""
        self._prepared = model

    def save_state(self, tensors: Tensors, numbers: Mapping[str, Any]) -> None:
        """Write what continuing needs, and the model that was prepared.

        Raises:
            OutputError: as ``save_model``.
        """
        model = self._prepared
        metadata = {
            "format": STATE_FORMAT,
            "state": numbers,
            "model_digest": self._model_digest() if model is None else digest(model),
            "log_bytes": self._log_size(),
        }
        state = sealed_bytes(tensors, metadata)
        if model is None:
            write_atomically(self.state_file, state)
            return
        held = {self.path / name: data for name, data in (self._held or {}).items()}
        try:
            replace_together(self.model_file, model, {**held, self.state_file: state})
        except OutputError:
            if self._held is None:
                # There may be room for the model alone; an earlier run is better than half a new one.
                write_atomically(self.model_file, model)
            raise
        if self._held is not None:
            # Of the earlier run. Where it stays, the next to resume sees that it goes with no state that is there.
            with contextlib.suppress(OSError):
                self.best_file.unlink(missing_ok=True)
        self._prepared = self._held = None

    def save_prepared(self) -> None:
        """Put the model that was prepared in place by itself: there is no state that is worth saving.

        Raises:
            OutputError: as ``save_model``.
        """
        if self._prepared is None:
            return
        model, held = self._prepared, self._held
        self._prepared = self._held = None
        if held is not None:
            self.forget()
        write_atomically(self.model_file, model)
        for name, data in (held or {}).items():
            write_atomically(self.path / name, data)

    def _log_size(self) -> int:
        if self._held is not None:
            return len(self._held[LOG_FILE])
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _model_digest(self) -> str:
        """That of the model that is there.

        Raises:
            ModelError: it cannot be read.
        """
        if _is_missing(self.model_file):
            return ""
        try:
            file_size(self.model_file)
            return digest(self.model_file.read_bytes())
        except OSError as error:
            raise ModelError(f"{self.model_file} cannot be read: {error.strerror or error}. Take it away") from error

    def set_aside(self) -> None:
        """Keep the model beside the better one that is about to take its place.

        Raises:
            OutputError: it cannot be written.
        """
        write_atomically(self.best_file, self.model_file.read_bytes())

    def take_back(self) -> None:
        """Put the model back that was set aside, where the state that was loaded goes with it; else it is in the way.

        Raises:
            OutputError: the folder cannot be written.
        """
        if not self.best_file.exists():
            return
        try:
            if digest(self.best_file.read_bytes()) == self._saved_digest:
                self.best_file.replace(self.model_file)
            else:
                self.best_file.unlink()
        except OSError as error:
            raise OutputError(f"cannot write in {self.path}: {error.strerror or error}. {FREE_OR_MOVE}") from error

    def model_is_as_saved(self) -> bool:
        """Whether the model is the one that the state that was loaded went with."""
        return self._model_digest() == self._saved_digest

    def load_state(self, *, replayed: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read what ``save_state`` wrote; nothing is changed yet.

        Args:
            replayed: whether the run is to be replayed, not resumed; for messages.

        Raises:
            ModelError: there is none, or it is damaged or of another format.
        """
        if _is_missing(self.state_file):
            if replayed:
                raise ModelError(f"{self.path} holds no run to replay: name the folder of one that is over")
            anew = "begin one with --overwrite" if self.model_file.exists() else "leave out --resume to begin one"
            raise ModelError(f"{self.path} holds no run to resume: {anew}")
        instead = "replay another run" if replayed else "begin anew with --overwrite"
        tensors, metadata = read_tensors(self.state_file)
        if metadata.get("format") != STATE_FORMAT or not isinstance(metadata.get("state"), dict):
            raise ModelError(f"{self.state_file} is damaged or of another version: {instead}")
        metadata = unsealed(self.state_file, tensors, metadata)
        if not isinstance(metadata.get("log_bytes"), int):
            raise ModelError(f"{self.state_file} is damaged, it lacks the log's length: {instead}")
        self._log_bytes = max(0, metadata["log_bytes"])
        self._saved_digest = metadata.get("model_digest")
        return tensors, metadata["state"]

    def cut_log(self) -> None:
        """Cut the log back to where it was when the state that was loaded was written.

        Raises:
            OutputError: it cannot be written.
        """
        log.cut(self.log_file, self._log_bytes)

    def log_is_complete(self) -> bool:
        """Whether the log tells of the run's end, which is written after the state that was loaded."""
        return log.ends_with(self.log_file, "finished", self._log_bytes)

    def check_kind(self, state: Mapping[str, Any], wanted: str) -> None:
        """Check that the state that was loaded is of a run of this kind of model.

        Raises:
            ModelError: it is of another one.
        """
        run = state.get("run")
        text = run.get("text") if isinstance(run, dict) else None
        kind = text.get("kind", LANGUAGE_MODEL) if isinstance(text, dict) else wanted
        if kind != wanted:
            raise ModelError(f"{self.path} holds the run of a {kind}, not of a {wanted}: name another folder")

    def check_state(self, tensors: Tensors, like: Tensors) -> None:
        """Check that tensors read have the names, shapes and types of a fresh run's.

        Raises:
            ModelError: they have not.
        """
        expected = {name: (np.shape(tensor), tensor.dtype) for name, tensor in like.items()}
        expect_tensors(self.state_file, tensors, expected)

    def log(self, record: Mapping[str, Any]) -> None:
        """Add one object to the log; in the place of an earlier run's only once that run is replaced.

        Raises:
            OutputError: it cannot be written.
        """
        if self._held is not None:
            self._held[LOG_FILE] += log.line(record)
        else:
            log.append(self.log_file, log.line(record))
