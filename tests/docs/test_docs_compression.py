"""docs/make_compression.py measures what comes back, says what was not there, and writes the table."""

from pathlib import Path
from typing import Any

import pytest
from scripts import ROOT, load_script

import charlm


@pytest.fixture(scope="module")
def script() -> Any:
    """The script that makes the page's table."""
    return load_script("docs/make_compression.py")


@pytest.fixture(scope="module")
def run(script: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What it measures of a small text."""
    folder = tmp_path_factory.mktemp("compression")
    text = folder / "text.txt"
    text.write_text("the cats sat on the mats\n" * 30, encoding="utf-8")
    charlm.train(text, folder=folder / "model", hidden=8, embedding=4, window=16, batch=4, steps=5, seed=1)
    found: dict[str, Any] = script.measured(text, folder / "model")
    return found


def test_everybody_is_measured(script: Any, run: dict[str, Any]) -> None:
    assert run["bytes"] == 750
    assert run["model"] > 1000
    assert 50 < run["charlm"]["bytes"] < 750
    assert 50 < run["charlm dynamic"]["bytes"] < 750
    assert set(run["peers"]) == {peer.name for peer in script.PEERS}
    # These come with Python.
    for name in ("gzip -9", "xz -9e", "bzip2 -9"):
        assert 20 < run["peers"][name] < 200


def test_the_table_says_what_was_not_there(script: Any, run: dict[str, Any]) -> None:
    peers = {**run["peers"], "gzip -9": None}
    found = script.tables({"machine": "A machine.", "runs": [{**run, "peers": peers}]})
    assert "| gzip -9 | not there |" in found["compression"]
    assert found["compressors"].startswith("A machine.")
    assert "Not there: " in found["compressors"]
    counted = run["charlm"]["bytes"] + run["model"]
    assert f"| charlm, model counted | {counted:,} ({8 * counted / 750:.3f}) |" in found["compression"]


def test_what_does_not_come_back_is_no_figure(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "PEERS", (script.Peer("broken", lambda data: data, lambda data: data[1:]),))
    with pytest.raises(ValueError, match="broken did not give the text back"):
        script.by_peers(b"text")


def test_the_page_has_the_marks(script: Any) -> None:
    page = (ROOT / "docs" / "compression.md").read_text(encoding="utf-8")
    for name in ("compression", "compressors"):
        assert page.count(f"<!-- {name} -->") == page.count(f"<!-- end of {name} -->") == 1
    assert Path(script.PAGE).name == "compression.md"
