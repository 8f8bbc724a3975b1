"""What files hold is known without reading them, and noticed when it changes."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from cache_cases import NAMES, PROSE, compute, facts, prepare, recall, use_cache, write

from charlm.cache import corpora, notes
from charlm.cache.folder import CacheFolder
from charlm.cache.notes import Notes, stamps_of
from charlm.text.corpus import draft
from charlm.text.reading import ByteReader, Source, file_source

CHANGED = PROSE.replace("rather", "really")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheFolder:
    return use_cache(tmp_path / "cache", monkeypatch)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = write(tmp_path / "t", PROSE)
    prepare(path)
    return path


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is read only for its digest."""
    names: list[str] = []

    def watch(source: Source) -> Any:
        names.append(source.name)
        return ByteReader(source)

    monkeypatch.setattr(notes, "ByteReader", watch)
    return names


def test_a_file_that_was_only_touched_is_digested_once(text: Path, digested: list[str]) -> None:
    os.utime(text, (1_700_000_000, 1_700_000_000))
    recall(text)
    recall(text)
    assert digested == [str(text)]


def test_another_text_of_the_same_size_is_noticed(text: Path) -> None:
    assert len(CHANGED) == len(PROSE)
    write(text, CHANGED)
    os.utime(text, (1_700_000_000, 1_700_000_000))
    assert facts(prepare(text)) == facts(compute(text))
    assert "y" in prepare(text).tokenizer.decode(prepare(text).train.ids)


def test_a_change_within_the_tick_of_a_clock_is_noticed(tmp_path: Path, digested: list[str]) -> None:
    """Same size, same time, same inode: what had just been changed when it was read is not trusted."""
    path = write(tmp_path / "young", PROSE, old=False)
    prepare(path)
    stamp = path.stat()
    with path.open("r+b") as file:
        file.write(CHANGED.encode())
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert stamps_of((file_source(path),)) == ((stamp.st_size, stamp.st_mtime_ns, stamp.st_ino, stamp.st_dev),)
    assert facts(prepare(path)) == facts(compute(path))
    assert digested == [str(path)]


def test_a_text_is_found_again_under_another_name(text: Path, digested: list[str]) -> None:
    copy = Path(shutil.copy(text, text.with_name("copy")))
    assert recall(copy).name == str(copy)
    assert digested == [str(copy)]


def test_a_text_of_a_new_size_is_not_read_twice(text: Path, digested: list[str]) -> None:
    prepare(write(text.with_name("new"), NAMES))
    assert digested == []


def test_a_file_that_changes_while_it_is_read_is_not_noted(
    tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "growing", PROSE)

    def slow(*arguments: Any, **options: Any) -> Any:
        made = draft(*arguments, **options)
        write(path, CHANGED + "more\n")
        return made

    with monkeypatch.context() as patch:
        patch.setattr(corpora, "draft", slow)
        prepare(path)
    assert list(cache.texts.iterdir()) == []
    assert facts(prepare(path)) == facts(compute(path))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"[1]", b'{"stamps": 1}', b'{"digests": ["no such"]}', b"\xff", b"null"]
)
def test_a_damaged_note_means_reading(text: Path, cache: CacheFolder, content: bytes, digested: list[str]) -> None:
    (note,) = cache.texts.iterdir()
    note.write_bytes(content)
    assert facts(recall(text)) == facts(compute(text))
    assert digested == [str(text)]
    recall(text)
    assert digested == [str(text)]


def test_of_several_files_any_change_is_noticed(tmp_path: Path, digested: list[str]) -> None:
    """They have one note, however many they are; and their order matters."""
    paths = [write(tmp_path / str(index), PROSE) for index in range(5)]
    prepare(*paths)
    recall(*paths)
    assert digested == []
    write(paths[3], CHANGED)
    os.utime(paths[3], (1_700_000_000, 1_700_000_000))
    assert facts(prepare(*paths)) == facts(compute(*paths))
    turned = paths[::-1]
    assert facts(prepare(*turned)) == facts(compute(*turned)) != facts(compute(*paths))


def test_a_use_is_seen_on_the_note(text: Path, cache: CacheFolder) -> None:
    (note,) = cache.texts.iterdir()
    os.utime(note, (0, 0))
    recall(text)
    assert time.time() - note.stat().st_mtime < 1000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_only_regular_files_have_a_stamp(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        assert stamps_of((file_source(path),)) is None
    assert stamps_of((Source("standard input", lambda: open(os.devnull, "rb")),)) is None  # noqa: PTH123, SIM115 - never opened


def test_notes_need_no_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "t", PROSE)
    sources = (file_source(path),)
    missing = Notes(tmp_path / "missing")
    assert missing.digests(sources) is None
    missing.write(sources, stamps_of(sources), ("digest",))
    assert missing.digests(sources) is None
