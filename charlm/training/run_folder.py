"""The folder of a run: the model, the state to continue from, and the log.

    model.safetensors      the best weights by validation loss; all that using the model needs
    training.safetensors   everything that continuing needs, and the digest of the model it goes with
    log.jsonl              one JSON object a report

The model is written first, then the state, each whole or not at all, so that a run killed at any moment leaves
a model that can be used and a state that can be continued from.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import MODEL_FILE, TrainedModel, check_tensors, model_bytes
from charlm.config import ModelConfig
from charlm.errors import ModelError, OutputError
from charlm.files import Tensors, expect_tensors, file_size, read_tensors, write_atomically
from charlm.seal import sealed_bytes, unsealed

STATE_FILE = "training.safetensors"
LOG_FILE = "log.jsonl"
STATE_FORMAT = 5
_OF_TRAINING = ("optimizer.", "place.", "states.")
"""What the names of a state's tensors begin with that are not the model's."""


def _never_elsewhere(path: str, flags: int) -> int:
    """Open a file of the folder's own: a link would lead out of it, and a pipe would be waited for.

    A folder may come from anybody, with links in it to the files of whoever continues the run.
    """
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def _is_missing(path: Path) -> bool:
    """Whether nothing is there, not even a link; of what may not be looked at, reading says what is wrong."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class RunFolder:
    """Reads and writes the files of one run; making the object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model_file = path / MODEL_FILE
        self.state_file = path / STATE_FILE
        self.log_file = path / LOG_FILE
        self._log_bytes = 0
        self._saved_digest: str | None = None
        self._replaces = False

    def occupied(self) -> bool:
        """Whether it holds a model or the state of a run."""
        return os.path.exists(self.model_file) or os.path.exists(self.state_file)  # noqa: PTH110 - Path's raises where it may not look

    def create(self) -> None:
        """Make the folder, and make sure that files can be written into it.

        Raises:
            OutputError: that is not so.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {self.path}: {error.strerror or error}. Name another with --model"
            ) from error
        probe = self.path / ".writable"
        write_atomically(probe, b"")
        probe.unlink()

    def replace(self) -> None:
        """Let the next run take the place of an earlier one, as soon as it has something to write."""
        self._replaces = True

    def _forget(self) -> None:
        """Remove an earlier run's state and log if they are to be replaced."""
        if not self._replaces:
            return
        self._replaces = False
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
        self._forget()

    def save_state(self, tensors: Tensors, numbers: Mapping[str, Any]) -> None:
        """Write what continuing needs.

        Raises:
            OutputError: as ``save_model``.
        """
        metadata = {
            "format": STATE_FORMAT,
            "state": numbers,
            "model_digest": self._model_digest(),
            "log_bytes": self.log_file.stat().st_size if self.log_file.exists() else 0,
        }
        write_atomically(self.state_file, sealed_bytes(tensors, metadata))

    def _model_digest(self) -> str:
        if _is_missing(self.model_file):
            return ""
        try:
            file_size(self.model_file)
            with self.model_file.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"{self.model_file} cannot be read: {error.strerror or error}. Take it away") from error

    def model_is_as_saved(self) -> bool:
        """Whether the model is the one that the state that was loaded went with."""
        return self._model_digest() == self._saved_digest

    def load_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read what ``save_state`` wrote; nothing is changed yet.

        Raises:
            ModelError: there is none, or it is damaged or of another format.
        """
        if _is_missing(self.state_file):
            raise ModelError(f"{self.path} holds no run to resume: leave out --resume to begin one")
        tensors, metadata = read_tensors(self.state_file)
        if metadata.get("format") != STATE_FORMAT or not isinstance(metadata.get("state"), dict):
            raise ModelError(f"{self.state_file} is damaged or of another version: begin anew with --overwrite")
        metadata = unsealed(self.state_file, tensors, metadata)
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
            if not _is_missing(self.log_file):
                with open(self.log_file, "r+b", opener=_never_elsewhere) as log:
                    if self._log_bytes < log.seek(0, os.SEEK_END):
                        log.truncate(self._log_bytes)
        except OSError as error:
            raise OutputError(f"cannot write {self.log_file}: {error.strerror or error}") from error

    def check_model(self, tensors: Tensors, config: ModelConfig) -> None:
        """Check that a state holds the parameters and the vocabulary of such a model, before that is made.

        Raises:
            ModelError: it does not.
            UsageError: the configuration names a block or option that does not exist.
        """
        of_model = {name: tensor for name, tensor in tensors.items() if not name.startswith(_OF_TRAINING)}
        check_tensors(self.state_file, of_model, config)

    def check_state(self, tensors: Tensors, like: Tensors) -> None:
        """Check that tensors read have the names, shapes and types of a fresh run's.

        Raises:
            ModelError: they have not.
        """
        expected = {name: (np.shape(tensor), tensor.dtype) for name, tensor in like.items()}
        expect_tensors(self.state_file, tensors, expected)

    def log(self, record: Mapping[str, Any]) -> None:
        """Add one object to the log.

        Raises:
            OutputError: it cannot be written.
        """
        self._forget()
        line = json.dumps(record, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        try:
            with open(self.log_file, "ab", opener=_never_elsewhere) as log:
                log.write(line)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.log_file}: {error.strerror or error}. What was saved before is kept"
            ) from error
