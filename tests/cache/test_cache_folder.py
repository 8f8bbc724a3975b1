"""Where the cache is, how large it gets, and that a corpus does not depend on whether it can be written."""

import errno
import os
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from cache_cases import NAMES, PROSE, compute, facts, files, found, prepare, recall, the_entry, use_cache, write

from charlm.cache import entry, folder
from charlm.cache.corpora import CachedPreparation
from charlm.cache.folder import CacheFolder, default_folder
from charlm.errors import OutputError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheFolder:
    return use_cache(tmp_path / "cache", monkeypatch)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.cache/charlm"),
        ("linux", {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/charlm"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "home/.cache/charlm"),
        ("linux", {"XDG_CACHE_HOME": ""}, "home/.cache/charlm"),
        ("linux", {"LOCALAPPDATA": "{}/local"}, "home/.cache/charlm"),
        ("darwin", {}, "home/Library/Caches/charlm"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/charlm/cache"),
        ("linux", {"CHARLM_CACHE": "{}/mine", "XDG_CACHE_HOME": "{}/xdg"}, "mine"),
        ("linux", {"CHARLM_CACHE": "mine"}, "mine"),
        ("linux", {"CHARLM_CACHE": "", "XDG_CACHE_HOME": "{}/xdg"}, None),
    ],
)
def test_the_folder_is_where_the_platform_has_it(
    platform: str,
    environment: dict[str, str],
    expected: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CHARLM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    assert default_folder() == (None if expected is None else tmp_path / expected)


def test_no_home_means_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> NoReturn:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CHARLM_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder() is None


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_others_may_not_look_into_it(tmp_path: Path, cache: CacheFolder) -> None:
    prepare(write(tmp_path / "t", PROSE))
    assert cache.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t", PROSE)
    monkeypatch.setenv("CHARLM_CACHE", str(path / "below a file"))
    assert facts(prepare(path)) == facts(compute(path))
    with pytest.raises(NotADirectoryError):
        CacheFolder(path / "below a file").check()


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_disk_that_fills_up_means_no_cache(
    tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Whenever it does; nothing is left of what had been written."""
    path, written = write(tmp_path / "t", PROSE), 0
    append = entry._Section.append  # noqa: SLF001 - where the disk is written to

    def fills_up(section: Any, ids: Any) -> None:
        nonlocal written
        written += 1
        if written > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(section, ids)

    monkeypatch.setattr(entry._Section, "append", fills_up)  # noqa: SLF001 - likewise
    assert facts(prepare(path)) == facts(compute(path))
    assert files(cache.path / "ids") == []


def test_some_space_is_left_to_others(tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")  # noqa: PYI024 - as shutil gives it
    monkeypatch.setattr("charlm.cache.entry.shutil.disk_usage", lambda _: usage(entry.SPARE_BYTES))
    path = write(tmp_path / "t", PROSE)
    assert facts(prepare(path)) == facts(compute(path))
    assert cache.kept() == []


def test_notes_that_cannot_be_written_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> NoReturn:
        raise OutputError("no space")

    for name in ("notes", "folder"):
        monkeypatch.setattr(f"charlm.cache.{name}.write_atomically", full)
    path = write(tmp_path / "t", PROSE)
    assert facts(prepare(path)) == facts(compute(path))
    assert facts(prepare(path)) == facts(compute(path))


def kept_in(cache: CacheFolder, path: Path) -> Any:
    return CachedPreparation(cache, found(path), {}).corpus()


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, cache: CacheFolder) -> None:
    """Using an entry counts, not making it; and its ids can still be read by those who have them."""
    paths = [write(tmp_path / str(index), PROSE + NAMES[: 10 * index]) for index in range(3)]
    corpora = [kept_in(cache, path) for path in paths[:2]]
    for each in cache.kept():
        os.utime(each.path, (time.time() - 100,) * 2)
    recall(paths[0])
    size = the_size(cache)
    small = CacheFolder(cache.path, most_bytes=int(2.5 * size))
    kept_in(small, paths[2])
    assert len(small.kept()) == 2
    recall(paths[0])
    recall(paths[2])
    with pytest.raises(AssertionError, match="not in the cache"):
        recall(paths[1])
    assert len(list((cache.path / "recipes").iterdir())) == 2
    assert facts(corpora[1]) == facts(compute(paths[1]))


def the_size(cache: CacheFolder) -> int:
    return max(each.size for each in cache.kept())


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path, cache: CacheFolder) -> None:
    path = write(tmp_path / "t", PROSE)
    assert facts(kept_in(CacheFolder(cache.path, most_bytes=len(PROSE)), path)) == facts(compute(path))
    assert cache.kept() == []


def test_tidying_removes_what_is_of_no_use(tmp_path: Path, cache: CacheFolder) -> None:
    """Leftovers of processes that were killed, and notes older than every entry; not what is new."""
    prepare(write(tmp_path / "t", PROSE))
    sound = files(cache.path)
    old = (time.time() - 2 * folder.DAY,) * 2
    temporary = cache.path / "ids" / f".{'0' * 32}.ids.{'1' * 16}"
    fresh = cache.path / "ids" / f".{'0' * 32}.ids.{'2' * 16}"
    note = cache.texts / f"12-{'0' * 32}.json"
    recipe = cache.path / "recipes" / f"{'0' * 32}.json"
    others = cache.path / "ids" / "notes.txt"
    for path in (temporary, fresh, note, recipe, others):
        path.write_text("{}")
        if path != fresh:
            os.utime(path, old)
    cache.tidy()
    assert files(cache.path) == sorted([*sound, *(str(path.relative_to(cache.path)) for path in (fresh, others))])


def test_clearing_removes_everything_of_its_own(tmp_path: Path, cache: CacheFolder) -> None:
    prepare(write(tmp_path / "t", PROSE))
    prepare(write(tmp_path / "u", NAMES))
    (cache.path / "ids" / f".{'0' * 32}.ids.{'1' * 16}").write_text("half")
    for other in ("letter.txt", "ids/letter.ids", "texts/1.json"):
        (cache.path / other).write_text("not the cache's")
    assert len(cache.clear()) == 2
    assert files(cache.path) == ["ids/letter.ids", "letter.txt", "texts/1.json"]
    assert cache.clear() == []


def test_clearing_what_was_not_used_for_long(tmp_path: Path, cache: CacheFolder) -> None:
    old, new = write(tmp_path / "t", PROSE), write(tmp_path / "u", NAMES)
    prepare(old)
    os.utime(the_entry(cache), (time.time() - 1000,) * 2)
    prepare(new)
    assert cache.clear(2000) == []
    assert len(cache.clear(500)) == 1
    recall(new)
    assert len(cache.kept()) == 1


def test_an_entry_that_cannot_be_removed_is_said(
    tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(write(tmp_path / "t", PROSE))

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match=r"cannot remove .* Permission denied"):
        cache.clear()


PREPARING = """
import sys
from pathlib import Path
from charlm.cache import corpora
from charlm.text.sources import find_texts
corpora.FEWEST_BYTES = 0
texts = find_texts([Path(sys.argv[1])])
print("ready", flush=True)
sys.stdin.readline()
corpus = corpora.prepare(texts)
print(int(corpus.train.ids.sum(dtype="int64")), len(corpus.train), flush=True)
"""


def test_two_processes_at_once(tmp_path: Path, cache: CacheFolder) -> None:
    """Both get the corpus, one entry is left, and it is sound."""
    path = write(tmp_path / "t", PROSE * 100)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHARLM_CACHE": str(cache.path)}
    words = [sys.executable, "-c", PREPARING, str(path)]
    running = [
        subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    ended = [each.communicate(timeout=60)[0] for each in running]
    expected = compute(path)
    assert ended == [f"{int(np.sum(expected.train.ids, dtype=np.int64))} {len(expected.train)}\n"] * 3
    assert [each.returncode for each in running] == [0] * 3
    assert len(files(cache.path / "ids")) == 1
    assert facts(recall(path)) == facts(expected)


def test_an_entry_that_is_replaced_in_use_stays_readable(tmp_path: Path, cache: CacheFolder) -> None:
    """As where another process finishes a little later; a file in use that cannot be replaced will do too."""
    path = write(tmp_path / "t", PROSE)
    first = prepare(path)
    made = entry_of(path)
    key = the_entry(cache).stem
    if os.name == "posix":
        entry.write_entry(the_entry(cache), key, made)
    assert facts(first) == facts(compute(path)) == facts(recall(path))


def entry_of(path: Path) -> Any:
    from charlm.text.corpus import draft  # noqa: PLC0415 - of this test alone

    return draft(found(path))


def test_a_file_that_cannot_be_replaced_since_it_is_in_use(
    tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where another process was quicker: its entry is taken."""
    path = write(tmp_path / "t", PROSE)
    replace = Path.replace

    def busy(source: Path, target: Path) -> Path:
        if target.suffix == ".ids":
            target.write_bytes(source.read_bytes())
            raise PermissionError(errno.EACCES, "in use")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", busy)
    assert isinstance(prepare(path).train.ids, np.memmap)
    assert len(files(cache.path / "ids")) == 1
    recall(path)
