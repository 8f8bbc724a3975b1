"""What is not as it was written is noticed, and made anew; nothing in the cache can make a run fail."""

import hashlib
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cache_cases import NAMES, PROSE, compute, facts, prepare, recall, the_entry, use_cache, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charlm.cache.entry import MAGIC, TRAILER, DamagedError, read_label
from charlm.cache.folder import CacheFolder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheFolder:
    return use_cache(tmp_path / "cache", monkeypatch)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = write(tmp_path / "t", PROSE)
    prepare(path)
    return path


def test_damaged_anywhere_it_is_made_anew(text: Path, cache: CacheFolder) -> None:
    """A bit flipped, the end cut off, something behind it."""
    expected, entry = facts(compute(text)), the_entry(cache)
    sound = entry.read_bytes()
    used = _used_bytes(sound)

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        data=st.builds(lambda place, bit: _flipped(sound, place, bit), st.sampled_from(used), st.integers(0, 7))
        | st.builds(lambda size: sound[:size], st.integers(0, len(sound) - 1))
        | st.builds(lambda more: sound + more, st.binary(min_size=1, max_size=100))
        | st.binary(max_size=100)
    )
    def check(data: bytes) -> None:
        entry.write_bytes(data)
        assert facts(prepare(text)) == expected
        assert entry.read_bytes() == sound
        recall(text)

    check()


def _used_bytes(data: bytes) -> list[int]:
    """Every place of a file but those that only fill it up."""
    label = _label_of(data)
    places = set(range(len(data) - TRAILER.size - len(json.dumps(label)), len(data)))
    for dtype, offset, length, _ in label["sections"].values():
        places |= set(range(offset, offset + length * np.dtype(dtype).itemsize))
    return sorted(places)


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def _label_of(data: bytes) -> dict[str, Any]:
    _, size, _ = TRAILER.unpack(data[-TRAILER.size :])
    label: dict[str, Any] = json.loads(data[-TRAILER.size - size : -TRAILER.size])
    return label


def forge(path: Path, change: Callable[[dict[str, Any], bytearray], None]) -> None:
    """Change an entry, and make all of its checksums right again."""
    data = path.read_bytes()
    label = _label_of(data)
    body = bytearray(data[: -TRAILER.size - len(json.dumps(label))])
    change(label, body)
    for section in label.get("sections", {}).values() if isinstance(label.get("sections"), dict) else ():
        try:
            dtype, offset, length, _ = section
            section[3] = zlib.crc32(bytes(body[offset : offset + length * np.dtype(dtype).itemsize]))
        except (ValueError, TypeError, OverflowError):
            continue
    text = json.dumps(label).encode()
    path.write_bytes(bytes(body) + text + TRAILER.pack(MAGIC, len(text), hashlib.sha256(text).digest()))


def test_forging_changes_nothing_by_itself(text: Path, cache: CacheFolder) -> None:
    """Or the tests below would show nothing."""
    before = the_entry(cache).read_bytes()
    forge(the_entry(cache), lambda *_: None)
    assert the_entry(cache).read_bytes() == before
    recall(text)


@pytest.mark.parametrize("part", ["train", "valid"])
def test_ids_beyond_the_vocabulary_are_refused(text: Path, cache: CacheFolder, part: str) -> None:
    """Even where every checksum is right."""

    def change(label: dict[str, Any], body: bytearray) -> None:
        body[label["sections"][part][1] + 5] = label["sections"]["counts"][2]

    forge(the_entry(cache), change)
    assert facts(prepare(text)) == facts(compute(text))
    recall(text)


def _set(*keys: str | int, value: Any) -> Callable[[dict[str, Any], bytearray], None]:
    def change(label: dict[str, Any], body: bytearray) -> None:
        del body
        place: Any = label
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


WRONG: list[Any] = [None, [], {}, 3, "x"]
WRONG_TYPES: list[Any] = ["|O", "|S1", "<f8", "<i8", "no", 3, None, []]


@pytest.mark.parametrize(
    "change",
    [
        *(_set(name, value=value) for name in ("sections", "digests", "train") for value in WRONG),
        *(_set(name, value=[]) for name in ("key", "name", "level", "unit", "lowercase", "types", "overflowed")),
        _set("key", value="0" * 32),
        _set("level", value="letter"),
        _set("unit", value="page"),
        _set("types", value=True),
        _set("digests", value=[1, None]),
        _set("digests", value=["a", 2]),
        _set("train", "characters", value="many"),
        _set("train", "unknown", value=-1),
        *(_set("sections", "train", 0, value=dtype) for dtype in WRONG_TYPES),
        *(_set("sections", "train", 1, value=offset) for offset in (-1, 1 << 70, None, 1.0)),
        *(_set("sections", "train", 2, value=length) for length in (0, -5, 1 << 70, 1 << 40, None, True)),
        _set("sections", "counts", 2, value=3),
        _set("sections", "offsets", 2, value=1),
        _set("sections", "train", value=[]),
        lambda label, _: label.clear(),
        lambda _, body: body.extend(b"more"),
        lambda _, body: body.__delitem__(slice(0, 8)),
    ],
)
def test_a_label_that_makes_no_sense_is_refused(
    text: Path, cache: CacheFolder, change: Callable[[dict[str, Any], bytearray], None]
) -> None:
    """Even where its checksum is right; an object, which would be unpickled, above all."""
    forge(the_entry(cache), change)
    assert facts(prepare(text)) == facts(compute(text))
    recall(text)
    assert len(cache.kept()) == 1


@pytest.mark.parametrize("content", [b"[1, 2", b"[]", b"3", b"null", b'{"sections": []}', b"[" * 100_000, b"\xff"])
def test_a_label_that_is_no_object_is_refused(text: Path, cache: CacheFolder, content: bytes) -> None:
    entry = the_entry(cache)
    entry.write_bytes(content + TRAILER.pack(MAGIC, len(content), hashlib.sha256(content).digest()))
    with pytest.raises(DamagedError):
        read_label(entry)
    prepare(text)
    recall(text)


def test_a_file_of_another_version_is_made_anew(text: Path, cache: CacheFolder) -> None:
    entry = the_entry(cache)
    sound = entry.read_bytes()
    entry.write_bytes(sound[: -TRAILER.size] + struct.pack("<8s", b"charlm\x00\x02") + sound[-TRAILER.size + 8 :])
    prepare(text)
    assert entry.read_bytes() == sound


def test_an_entry_of_another_text_under_its_name_is_refused(text: Path, cache: CacheFolder, tmp_path: Path) -> None:
    entry = the_entry(cache)
    prepare(write(tmp_path / "u", NAMES))
    (other,) = (each.path for each in cache.kept() if each.path != entry)
    entry.write_bytes(other.read_bytes())
    assert facts(prepare(text)) == facts(compute(text))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"no key"', b'"../../t"', b"\xff", b"[" * 100_000])
def test_a_damaged_recipe_means_reading(text: Path, cache: CacheFolder, content: bytes) -> None:
    (recipe,) = (cache.path / "recipes").iterdir()
    recipe.write_bytes(content)
    assert facts(prepare(text)) == facts(compute(text))
    recall(text)


def test_a_folder_where_the_entry_should_be(text: Path, cache: CacheFolder) -> None:
    entry = the_entry(cache)
    entry.unlink()
    entry.mkdir()
    assert facts(prepare(text)) == facts(compute(text))
