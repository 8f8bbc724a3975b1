"""docs/make_quality.py trains as a person does, and writes down what it saw."""

import json
from pathlib import Path
from typing import Any

import pytest
from scripts import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> Any:
    """The script that makes the page's figures."""
    return load_script("docs/make_quality.py")


@pytest.fixture(scope="module")
def figures(script: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Those of a tiny run."""
    folder = tmp_path_factory.mktemp("quality")
    texts = script.cut(ROOT / "corpora" / "dinosaurs.txt", folder)
    case = script.CASES[0]._replace(options=("--steps", "3", "--hidden", "8", "--embedding", "4"))
    return {"machine": script.machine(), "runs": [script.measured(case, seed, texts, folder) for seed in (1, 2)]}


def test_a_training_is_timed_and_judged(figures: dict[str, Any]) -> None:
    for run in figures["runs"]:
        assert run["steps"] == 3
        assert run["seconds"] > run["curve"][-1][0]
        # The model saved is the best validated.
        assert run["nats"] == pytest.approx(min(nats for _, nats in run["curve"]))
        assert 1 < run["to_beat"] < 3
        assert "1 x 8" in run["picked"]


def test_the_cut_loses_nothing(script: Any, tmp_path: Path) -> None:
    """Not even the ends of lines."""
    text = tmp_path / "text.txt"
    text.write_bytes(b"one\r\ntwo\n" * 5)
    parts = script.cut(text, tmp_path)
    assert parts["train"].read_bytes() + parts["valid"].read_bytes() == text.read_bytes()
    assert len(parts["train"].read_bytes()) == 40


def test_tables_show_medians(script: Any, figures: dict[str, Any]) -> None:
    nats = sorted(run["nats"] for run in figures["runs"])
    table = script.tables(figures)["time"]
    assert f"**{sum(nats) / 2:.4f}**" in table
    assert "| 1.886 |" in table
    assert "`charlm train train.txt --valid valid.txt --time 12s`" in table


def test_the_page_shows_the_figures(script: Any) -> None:
    """If this fails, ``python docs/make_quality.py --write`` writes tables and plot again."""
    page = script.PAGE.read_text(encoding="utf-8")
    figures = json.loads(script.FIGURES.read_text(encoding="utf-8"))
    assert script.with_tables(page, script.tables(figures)) == page
    assert script.PLOT.name in page
