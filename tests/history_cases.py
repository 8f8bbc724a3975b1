"""Folders of runs that were never run: what stands in them is written by hand."""

import json
import math
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from charlm.config import CorpusRecord, ModelConfig, TextConfig
from charlm.files import tensor_bytes
from charlm.train_config import TrainConfig

CORPUS = CorpusRecord(["names.txt"], "a" * 64, None, None, 9000, 1000, 9000, 1000, 0)
TRAIN = TrainConfig(window=8, batch=4, steps=100)


def validation(step: int, loss: float = 2.0, **others: Any) -> dict[str, Any]:
    """A validation as a run of a hundred steps, ten a second, logs it."""
    return {
        "event": "validation",
        "step": step,
        "progress": step / 100,
        "train_nats_per_token": loss - 0.5,
        "valid_nats_per_token": loss,
        "best": True,
        "seconds": step / 10,
        "valid": {"nats": 1000 * loss, "tokens": 1000, "unknown_nats": 0.0, "unknown": 0},
        **others,
    }


def about(
    *,
    model: Mapping[str, Any] | None = None,
    text: Mapping[str, Any] | None = None,
    corpus: Mapping[str, Any] | None = None,
    train: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a model's file says, with these changes."""
    return {
        "format": 4,
        "kind": "language model",
        "model": {**ModelConfig(vocabulary=30, hidden=16, embedding=8).to_json(), **(model or {})},
        "text": {**TextConfig().to_json(), **(text or {})},
        "record": {
            "corpus": {**CORPUS.to_json(), **(corpus or {})},
            "made_with": {},
            "base": None,
            "train": {**TRAIN.to_json(), **(train or {})},
            "step": 50,
            "valid_nats_per_token": 2.0,
        },
    }


def write_log(folder: Path, *records: object, end: bytes = b"") -> Path:
    """A log of these objects, and at its end what is no whole line."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    (folder / "log.jsonl").write_bytes(lines + end)
    return folder


def write_metadata(file: Path, metadata: Mapping[str, Any]) -> None:
    """A file of tensors that says this; the tensors do not matter."""
    file.write_bytes(tensor_bytes({"nothing": np.zeros(3, np.float32)}, metadata))


def write_run(folder: Path, *records: object, **changes: Any) -> Path:
    """A run's log and model."""
    write_log(folder, *records)
    write_metadata(folder / "model.safetensors", about(**changes))
    return folder


def finished(folder: Path, losses: Iterable[float] = (3.0, 2.5, 2.25), **changes: Any) -> Path:
    """A run that went to its end, by its validations' losses."""
    costs = list(losses)
    steps = [math.ceil(100 * (i + 1) / len(costs)) for i in range(len(costs))]
    return write_run(folder, *map(validation, steps, costs), **changes)


def state(step: int, seconds: float) -> dict[str, Any]:
    """What the state of a run says at a step."""
    said = about()
    run = {"model": said["model"], "text": said["text"], "train": said["record"]["train"]}
    number = {"step": step, "seconds": seconds, "plan": [0, 0.0, 0.01, 1.0]}
    return {"format": 4, "state": {**number, "run": run, "about": {"corpus": said["record"]["corpus"]}}}


def long_ago(folder: Path) -> Path:
    """Make a folder look as if nothing had been written there for an hour."""
    then = time.time() - 3600
    for file in folder.iterdir():
        os.utime(file, (then, then))
    return folder
