"""The folder of a run: the model, the state to continue from, and the log.

    model.safetensors      the best weights by validation loss; all that using the model needs
    training.safetensors   everything that continuing needs, and the digest of the model it goes with
    log.jsonl              one JSON object a report

Every file is written whole or not at all. A model and the state that goes with it are put in place together: the state
waits under a hidden name, which tells for which model, until the model stands; then it takes its own. Whoever finds a
state that waits for the model that stands finishes this. So a run that is killed at any moment leaves a model that can
be used and the state that goes with it, or what was there before.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import MODEL_FILE, TrainedModel, model_bytes
from charlm.errors import ModelError, OutputError
from charlm.files import (
    FREE_OR_MOVE,
    Tensors,
    expect_tensors,
    flush_folder,
    leftovers,
    read_tensors,
    tensor_bytes,
    waiting,
    write_atomically,
)
from charlm.training.lock import LOCK_FILE, Lock, acquire

STATE_FILE = "training.safetensors"
LOG_FILE = "log.jsonl"
STATE_FORMAT = 4


class RunFolder:
    """Reads and writes the files of one run; making the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model_file = path / MODEL_FILE
        self.state_file = path / STATE_FILE
        self.log_file = path / LOG_FILE
        self._log_bytes = 0
        self._saved_digest: str | None = None
        self._lock: Lock | None = None
        self._prepared: bytes | None = None
        self._held: list[bytes] | None = None

    def occupied(self) -> bool:
        """Whether it holds a model or the state of a run."""
        return self.model_file.exists() or self.state_file.exists()

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
            self._held = []
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
            self._adopt(self._model_digest())
            # Without a lock they may be those of a run that is at work.
            for path in leftovers(self.path, (MODEL_FILE, STATE_FILE, LOG_FILE)) if self._lock.held else ():
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
        """Remove an earlier run's state and log: the model is not theirs any more.

        Raises:
            OutputError: they cannot be removed.
        """
        try:
            self.state_file.unlink(missing_ok=True)
            self.log_file.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot clear {self.path}: {error.strerror or error}") from error

    def save_model(self, model: TrainedModel) -> None:
        """Write the model's file.

        Raises:
            OutputError: it cannot be written, or a weight is not finite.
        """
        write_atomically(self.model_file, model_bytes(model))

    def prepare_model(self, model: TrainedModel) -> None:
        """Have the next ``save_state`` put the model in place together with the state.

        Raises:
            OutputError: a weight is not finite.
        """
        self._prepared = model_bytes(model)

    def save_state(self, tensors: Tensors, numbers: Mapping[str, Any]) -> None:
        """Write what continuing needs, and the model that was prepared.

        Raises:
            OutputError: as ``save_model``.
        """
        model = self._prepared
        digest = self._model_digest() if model is None else _digest(model)
        state = tensor_bytes(
            tensors,
            {"format": STATE_FORMAT, "state": numbers, "model_digest": digest, "log_bytes": self._log_size()},
        )
        if model is None:
            write_atomically(self.state_file, state)
            return
        self._put_in_place(model, state, digest)
        self._prepared = self._held = None

    def _log_size(self) -> int:
        if self._held is not None:
            return sum(map(len, self._held))
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _put_in_place(self, model: bytes, state: bytes, digest: str) -> None:
        """Replace the model, the state and, where it was held back, the log: all of them, whenever the end comes."""
        replaces = self._held is not None
        try:
            if self._held is not None:
                write_atomically(waiting(self.log_file, digest), b"".join(self._held), called=self.log_file)
            write_atomically(waiting(self.state_file, digest), state, called=self.state_file)
        except OutputError:
            self._drop(digest)
            if not replaces:
                # There may be room for the model alone.
                write_atomically(self.model_file, model)
            raise
        try:
            write_atomically(self.model_file, model)
        except OutputError:
            self._drop(digest)
            raise
        try:
            self._adopt(digest)
        except OSError as error:
            raise OutputError(f"cannot write {self.state_file}: {error.strerror or error}. {FREE_OR_MOVE}") from error

    def _adopt(self, digest: str) -> None:
        """Give what waits for the model that stands its own name."""
        state, log = waiting(self.state_file, digest), waiting(self.log_file, digest)
        if not state.exists():
            return
        # The log first: as long as the state waits, all this can be done again.
        if log.exists():
            log.replace(self.log_file)
        state.replace(self.state_file)
        flush_folder(self.path)

    def _drop(self, digest: str) -> None:
        """Remove what waits for a model that is not to come."""
        for path in (self.state_file, self.log_file):
            with contextlib.suppress(OSError):
                waiting(path, digest).unlink(missing_ok=True)

    def _model_digest(self) -> str:
        return _digest(self.model_file.read_bytes()) if self.model_file.exists() else ""

    def model_is_as_saved(self) -> bool:
        """Whether the model is the one that the state that was loaded went with."""
        return self._model_digest() == self._saved_digest

    def load_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read what ``save_state`` wrote; nothing is changed yet.

        Raises:
            ModelError: there is none, or it is damaged or of another format.
        """
        if not self.state_file.exists():
            anew = "begin one with --overwrite" if self.model_file.exists() else "leave out --resume to begin one"
            raise ModelError(f"{self.path} holds no run to resume: {anew}")
        tensors, metadata = read_tensors(self.state_file)
        if metadata.get("format") != STATE_FORMAT or not isinstance(metadata.get("state"), dict):
            raise ModelError(f"{self.state_file} is damaged or of another version: begin anew with --overwrite")
        if not isinstance(metadata.get("log_bytes"), int):
            raise ModelError(f"{self.state_file} is damaged: it lacks the log's length. Begin anew with --overwrite")
        self._log_bytes = max(0, metadata["log_bytes"])
        self._saved_digest = metadata.get("model_digest")
        return tensors, metadata["state"]

    def cut_log(self) -> None:
        """Cut the log back to where it was when the state that was loaded was written.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            if self.log_file.exists():
                # Opened in any case, so that a log that cannot be written is known before anything is trained.
                with self.log_file.open("ab") as log:
                    if self._log_bytes < log.tell():
                        log.truncate(self._log_bytes)
        except OSError as error:
            raise OutputError(f"cannot write {self.log_file}: {error.strerror or error}") from error

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
        line = json.dumps(record, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        if self._held is not None:
            self._held.append(line)
            return
        try:
            with self.log_file.open("ab") as log:
                log.write(line)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.log_file}: {error.strerror or error}. What was saved before is kept"
            ) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
