"""corpora/who_wrote.py: what it holds out is not trained on, and models of its texts tell whose it is."""

import json
import sys
from pathlib import Path

import pytest
from scripts import load_script

import charlm
from charlm.attribution import Confusion

NAMES = ("fables", "dinosaurs", "python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script writes."""
    written = tmp_path_factory.mktemp("who")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["who_wrote.py", str(written)])
        load_script("corpora/who_wrote.py").main()
    return written


def rows(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()]


def test_passages_are_held_out(folder: Path) -> None:
    for name in NAMES:
        train = (folder / f"{name}.txt").read_text(encoding="utf-8")
        passages = [row["text"] for row in rows(folder) if row["label"] == name]
        assert len(passages) >= 10
        assert all(150 <= len(passage) <= 300 for passage in passages)
        assert not any(passage in train for passage in passages)
        if name == "dinosaurs":
            assert not {line for passage in passages for line in passage.split()} & set(train.split())


def test_models_tell_whose_a_passage_is(folder: Path) -> None:
    """Small ones that were hardly trained are right in 95 % of the passages."""
    models = {
        name: charlm.train(
            text=(folder / f"{name}.txt").read_text(encoding="utf-8")[:100_000],
            hidden=32, embedding=8, window=32, batch=16, steps=300, lr=0.01, seed=1,
        )
        for name in NAMES
    }  # fmt: skip
    confusion = Confusion(NAMES)
    chosen = [row for name in NAMES for row in [each for each in rows(folder) if each["label"] == name][:30]]
    for row, found in zip(chosen, charlm.which(models, [row["text"] for row in chosen]), strict=True):
        confusion.add(row["label"], found.best.model)
    assert confusion.accuracy >= 0.95, confusion.to_json()
