"""Runs read from their folders: while they go on, when they are over, or broken off.

Reading changes nothing and takes what there is. Events and keys that it does not know are kept as they stand, what is
missing is None, and what is damaged is named and left out.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from charlm.checkpoint import MODEL_FILE
from charlm.config import ModelConfig, TextConfig
from charlm.errors import CharlmError, ModelError
from charlm.files import file_size, parse_json, read_metadata
from charlm.histories.history import RunHistory, Validation, mapping, number, whole
from charlm.labelling.config import KINDS, LabellingConfig
from charlm.nn.label_config import LabelModelConfig
from charlm.nn.label_model import parameter_specs as label_specs
from charlm.nn.language_model import parameter_specs
from charlm.training.pace import Plan
from charlm.training.run_folder import LOG_FILE, STATE_FILE

RUNNING_SECONDS = 180.0
"""A run that has written something within this time is taken to go on: it saves itself every minute."""
MOST_NAMED = 5
"""Damaged lines of a log that are named."""
_EVENTS = ("validation", "plan", "skipped", "returned", "resumed", "stopped", "finished")
"""Those that tell how a run stands."""


def read_runs(paths: Sequence[Path]) -> list[RunHistory]:
    """Read runs.

    Args:
        paths: their folders, or folders with such at any depth.

    Raises:
        ModelError: a path has no run's log, or none of the logs has anything in it.
    """
    folders = find_runs(paths)
    runs = [read_run(folder, name) for folder, name in zip(folders, _names(folders), strict=True)]
    if all(run.step is None and not run.records for run in runs):
        raise ModelError("; ".join(problem for run in runs for problem in run.problems))
    return runs


def find_runs(paths: Sequence[Path]) -> list[Path]:
    """The folders of the runs that are meant, each once.

    Args:
        paths: folders, or folders with such at any depth, hidden ones left out; or a file of a run.

    Raises:
        ModelError: there is none at one of the paths.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        folder = path.parent if path.is_file() else path
        folders = [folder] if _is_run(folder) else list(_below(path))
        if not folders:
            what = f"{path} holds no {LOG_FILE} of a run" if path.exists() else f"there is nothing at {path}"
            raise ModelError(f"{what}: name the folder of a run, or of several; charlm train makes them")
        for each in folders:
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _is_run(folder: Path) -> bool:
    """A run that was stopped before it had anything to log has a state."""
    return any((folder / name).exists() for name in (LOG_FILE, STATE_FILE))


def _below(folder: Path) -> Iterator[Path]:
    for place, inner, _ in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        if _is_run(Path(place)):
            yield Path(place)


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' paths without what all of them begin with."""
    places = [folder.resolve() for folder in folders]
    try:
        common = os.path.commonpath([place.parent for place in places])
    except ValueError:  # none, or on several drives
        return [str(folder) for folder in folders]
    return [str(place.relative_to(common)) for place in places]


def read_run(folder: Path, name: str) -> RunHistory:
    """Read one run; what cannot be read stands in its ``problems``.

    Args:
        folder: of a run.
        name: what to call it.
    """
    problems: list[str] = []
    records = _log(folder / LOG_FILE, problems)
    state = mapping(_metadata(folder / STATE_FILE, problems).get("state"))
    about = _metadata(folder / MODEL_FILE, problems) or _as_a_model(state)
    record = mapping(about.get("record"))
    model, parameters, text = _configuration(about, folder, problems) if about else (None, None, None)
    train = mapping(record.get("train"))
    window, batch = whole(train.get("window")), whole(train.get("batch"))
    tokens_a_step = window * batch if window and batch else None
    place = _place(records, state)
    if place.step is None and not records:
        problems.append(
            f"{folder / LOG_FILE} holds no record: a run writes its first when it validates; look again then"
        )
    return RunHistory(
        name=name,
        folder=folder,
        state=_state(records, folder),
        progress=place.progress,
        step=place.step,
        seconds=place.seconds,
        tokens=_tokens(place.tokens, place.step, tokens_a_step),
        model=model,
        parameters=parameters,
        text=text,
        record=record,
        validations=tuple(_validation(each, tokens_a_step) for each in records if _validates(each)),
        records=tuple(records),
        problems=tuple(problems),
    )


def _log(path: Path, problems: list[str]) -> list[Mapping[str, Any]]:
    """The objects of a log. A last line without an end is just being written, or was when the machine went off."""
    try:
        file_size(path)  # a pipe of this name would be waited for
        *lines, last = path.read_bytes().split(b"\n")
    except FileNotFoundError:  # nothing to log so far
        return []
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror or error}")
        return []
    found = [_object(line) for line in (*lines, last)]
    damaged = [i + 1 for i, line in enumerate(lines) if found[i] is None and line.strip()]
    if damaged:
        named = ", ".join(map(str, damaged[:MOST_NAMED]))
        more = f" and {len(damaged) - MOST_NAMED} more" if len(damaged) > MOST_NAMED else ""
        what = "lines" if len(damaged) > 1 else "line"
        problems.append(f"{path}: {what} {named}{more} damaged and left out")
    return [each for each in found if each is not None]


def _object(line: bytes) -> Mapping[str, Any] | None:
    try:
        parsed = parse_json(line.decode())
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _metadata(path: Path, problems: list[str]) -> Mapping[str, Any]:
    """What a file of tensors says besides them; nothing where it is missing, as it may be."""
    try:
        return read_metadata(path) if path.exists() else {}
    except ModelError as error:
        problems.append(str(error))
        return {}


def _as_a_model(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the file of the model would say, by the state."""
    run = mapping(state.get("run"))
    return {**run, "record": {**mapping(state.get("about")), "train": run.get("train")}} if run else {}


def _configuration(
    about: Mapping[str, Any], folder: Path, problems: list[str]
) -> tuple[ModelConfig | LabelModelConfig | None, int | None, TextConfig | LabellingConfig | None]:
    """The network, the number of its parameters, and how the text is read."""
    kind = mapping(about.get("text")).get("kind")
    try:
        if kind in KINDS:
            usual = LabelModelConfig(vocabulary=2, labels=2).to_json()
            labels = LabelModelConfig.from_json(_known(about.get("model"), usual))
            read = LabellingConfig.from_json(_known(about.get("text"), LabellingConfig(kind).to_json()))
            return labels, sum(math.prod(spec.shape) for spec in label_specs(labels)), read
        model = ModelConfig.from_json(_known(about.get("model"), ModelConfig(vocabulary=2).to_json()))
        text = TextConfig.from_json(_known(about.get("text"), TextConfig().to_json()))
        return model, sum(math.prod(spec.shape) for spec in parameter_specs(model)), text
    except CharlmError as error:
        problems.append(f"{folder} does not say what was trained ({error}): it may be of another version of charlm")
        return None, None, None


def _known(data: Any, usual: Mapping[str, Any]) -> Any:
    """A configuration as this version has it: another one may have lacked a key, or have one more."""
    return {key: data.get(key, value) for key, value in usual.items()} if isinstance(data, dict) else data


class _Place(NamedTuple):
    """Where a run stood at some time."""

    step: int | None = None
    seconds: float | None = None
    progress: float | None = None
    tokens: int | None = None


def _place(records: Sequence[Mapping[str, Any]], state: Mapping[str, Any]) -> _Place:
    """Where a run stands: as its log or its state has it, whichever is newer."""
    places = [
        _Place(
            whole(each.get("step")),
            number(each.get("seconds")),
            number(each.get("progress")),
            whole(each.get("tokens")),
        )
        for each in records
    ]
    step = whole(state.get("step"))
    if step is not None:
        places.append(_Place(step, number(state.get("seconds")), _progress(state.get("plan"), step)))
    places = [place for place in places if place.step is not None]
    places.sort(key=lambda place: -1.0 if place.seconds is None else place.seconds)
    if not places:
        return _Place()
    known = [place.progress for place in places if place.progress is not None]
    return places[-1]._replace(progress=known[-1] if known else None)


def _progress(plan: Any, step: int) -> float | None:
    try:
        since, progress, slope, ceiling = map(float, plan)
        return number(Plan(int(since), progress, slope, ceiling).at(step))
    except (TypeError, ValueError, OverflowError):
        return None


def _state(records: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """See ``RunHistory.state``. A log that ends in a validation of the whole run is of one that is over."""
    known = [each for each in records if each.get("event") in _EVENTS]
    last = known[-1] if known else {}
    if last.get("event") in ("stopped", "finished"):
        return str(last["event"])
    if last.get("event") == "validation" and (number(last.get("progress")) or 0) >= 1:
        return "finished"
    written = (
        path.stat().st_mtime for path in map(folder.joinpath, (LOG_FILE, MODEL_FILE, STATE_FILE)) if path.exists()
    )
    return "running" if time.time() - max(written, default=-math.inf) < RUNNING_SECONDS else "killed"


def _tokens(said: int | None, step: int | None, tokens_a_step: int | None) -> int | None:
    """Tokens trained on: as the log has it, or as many steps as there were."""
    return said if said is not None or step is None or tokens_a_step is None else step * tokens_a_step


def _validates(record: Mapping[str, Any]) -> bool:
    """A run that is stopped validates once more, and its model is that of the stop if it is the best."""
    event = record.get("event")
    return event == "validation" or (event == "stopped" and "valid_nats_per_token" in record)


def _validation(record: Mapping[str, Any], tokens_a_step: int | None) -> Validation:
    cost, step = mapping(record.get("valid")), whole(record.get("step"))
    return Validation(
        step=step,
        progress=number(record.get("progress")),
        seconds=number(record.get("seconds")),
        tokens=_tokens(whole(record.get("tokens")), step, tokens_a_step),
        train_nats_per_token=number(record.get("train_nats_per_token")),
        valid_nats_per_token=number(record.get("valid_nats_per_token")),
        lr=number(record.get("lr")),
        clipped=number(record.get("clipped")),
        spikes=whole(record.get("spikes")),
        skipped=whole(record.get("skipped")),
        nats=number(cost.get("nats")),
        valid_tokens=whole(cost.get("tokens")),
        valid_unknown=whole(cost.get("unknown")),
    )
