"""``charlm cache``, and what commands do with the cache."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from cli_cases import QUICK, call, contents, names_text, one_message, prose_text, succeed

from charlm.cache import corpora


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts of any size are kept."""
    monkeypatch.setenv("CHARLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(corpora, "FEWEST_BYTES", 0)
    return tmp_path / "cache"


@pytest.fixture
def texts(tmp_path: Path) -> list[Path]:
    """Two texts, of either kind."""
    paths = [tmp_path / "prose.txt", tmp_path / "names.txt"]
    for path, text in zip(paths, (prose_text(), names_text()), strict=True):
        path.write_text(text)
    return paths


def train(path: Path, folder: str, *options: object) -> None:
    succeed("train", path, "--model", folder, *QUICK, "--steps", 5, *options)


def not_computed(*_: Any, **__: Any) -> Any:
    raise AssertionError("it is not in the cache")


def test_a_model_is_the_same_with_the_cache_and_without(texts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte; and from the second run on no text is read."""
    for path in texts:
        with monkeypatch.context() as patch:
            patch.setenv("CHARLM_CACHE", "")
            train(path, "without", "--overwrite")
        train(path, "first", "--overwrite")
        with monkeypatch.context() as patch:
            patch.setattr(corpora, "draft", not_computed)
            train(path, "second", "--overwrite")
        without, first, second = (contents(Path(name))["model.safetensors"] for name in ("without", "first", "second"))
        assert without == first == second


def test_resuming_and_evaluating_read_no_text(texts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for path in texts:
        train(path, "model", "--overwrite")
        expected = succeed("eval", "--model", "model", "--json").json
        with monkeypatch.context() as patch:
            patch.setattr(corpora, "draft", not_computed)
            assert succeed("eval", "--model", "model", "--json").json == expected
            succeed("train", "--resume", "--model", "model", "--quiet")


def test_a_text_that_has_changed_is_noticed(texts: list[Path]) -> None:
    """When a run is resumed that has its ids in the cache."""
    train(texts[0], "model")
    texts[0].write_text(prose_text(61))
    one_message(call("train", "--resume", "--model", "model"), 3, texts[0], "has changed")


def test_the_list(texts: list[Path], cache: Path) -> None:
    """What was used last stands first; then the total, and where it is."""
    assert succeed("cache").out.decode() == f"0 texts, 0.0 MB of at most 10.0 GB, in {cache}\n"
    train(texts[0], "prose", "--level", "word", "--lowercase")
    (entry,) = (cache / "ids").iterdir()
    os.utime(entry, (time.time() - 3 * 86400,) * 2)
    train(texts[1], "names")
    ended = succeed("cache")
    heading, first, second, total = ended.out.decode().splitlines()
    assert heading.split() == ["size", "last", "used", "text"]
    assert "just now" in first
    assert f"{texts[1]} (char level, unit line, independent lines; " in first
    assert "3 days ago" in second
    assert f"{texts[0]} (word level, unit line, lower case; " in second
    assert "tokens, vocabulary of " in second
    assert total.startswith("2 texts, ")
    assert ended.err == ""


def test_a_damaged_entry_is_listed_as_such(texts: list[Path], cache: Path) -> None:
    train(texts[0], "prose")
    (entry,) = (cache / "ids").iterdir()
    entry.write_bytes(b"nothing")
    assert "damaged" in succeed("cache").out.decode()


def test_clearing(texts: list[Path], cache: Path) -> None:
    for path in texts:
        train(path, path.stem)
    for entry in list((cache / "ids").iterdir())[:1]:
        os.utime(entry, (time.time() - 31 * 86400,) * 2)
    assert succeed("cache", "--clear", "--older-than", "5w").err == "charlm: 0 texts removed, 0.0 MB\n"
    assert succeed("cache", "--clear", "--older-than", "30d").err.startswith("charlm: 1 text removed, ")
    assert succeed("cache", "--clear").err.startswith("charlm: 1 text removed, ")
    assert contents(cache) == {}
    assert succeed("cache", "--clear").err == "charlm: 0 texts removed, 0.0 MB\n"


def test_the_path(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert succeed("cache", "--path").out.decode() == f"{cache}\n"
    assert not cache.exists()
    monkeypatch.setenv("CHARLM_CACHE", "")
    for options in ([], ["--path"], ["--clear"]):
        ended = succeed("cache", *options)
        assert ended.out == b""
        assert one_message(ended, 0, "CHARLM_CACHE is empty")


def test_a_folder_that_cannot_be_written_is_said_here_and_nowhere_else(
    texts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARLM_CACHE", str(texts[0] / "below"))
    assert call("train", texts[0], "--model", "model", *QUICK, "--steps", 5) == (0, b"", "")
    one_message(succeed("cache"), 0, texts[0] / "below", "cannot be written")


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (["--older-than", "3d"], "--clear"),
        (["--clear", "--older-than", "long"], "30d"),
        (["--clear", "--older-than", "-3d"], "30d"),
        (["--clear", "--path"], "leave out"),
    ],
)
def test_options_that_make_no_sense(options: list[str], mentioned: str) -> None:
    one_message(call("cache", *options), 2, mentioned)
