"""A corpus from the cache is the one that is computed, whatever was asked for; and what is kept at all."""

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cache_cases import NAMES, PROSE, compute, facts, files, found, outcome, prepare, recall, use_cache, write
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.cache import corpora
from charlm.cache.folder import CacheFolder
from charlm.text.sources import find_texts
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import Vocabulary

GIVEN = Tokenizer("char", "line", Vocabulary.from_counts(list("abe \n")[:4], np.array([9, 5, 3, 2], np.int64)))
TEXTS = st.sampled_from([PROSE, NAMES]) | st.text(alphabet=st.sampled_from("abAé.' \n"), min_size=1, max_size=60)
OPTIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from(["char", "word", "token", "byte"]),
        "unit": st.sampled_from([None, "line", "paragraph", "file"]),
        "encoding": st.sampled_from(["utf-8", "latin-1"]),
        "min_count": st.integers(1, 3),
        "max_vocab": st.none() | st.integers(3, 8),
        "lowercase": st.booleans(),
        "independent_lines": st.none() | st.booleans(),
        "valid_fraction": st.none() | st.floats(0.1, 0.6),
        "most_validated": st.integers(5, 500),
        "seed": st.integers(0, 2),
        "tokenizer": st.sampled_from([None, GIVEN]),
        "extend": st.booleans(),
    },
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheFolder:
    return use_cache(tmp_path / "cache", monkeypatch)


def test_every_attribute_is_that_of_the_corpus_computed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache and texts of the same names for several requests: none may get what another asked for."""
    numbers = itertools.count()

    @settings(deadline=None, max_examples=150)
    @given(
        texts=st.lists(TEXTS, min_size=1, max_size=2),
        valid=st.none() | TEXTS,
        requests=st.lists(OPTIONS, min_size=2, max_size=3),
    )
    def check(texts: list[str], valid: str | None, requests: list[dict[str, Any]]) -> None:
        folder = tmp_path_factory.mktemp(f"text{next(numbers)}")
        paths = [write(folder / f"{index}.txt", text) for index, text in enumerate(texts)]
        extra = {} if valid is None else {"valid_texts": found(write(folder / "valid", valid))}
        with pytest.MonkeyPatch.context() as patch:
            use_cache(folder / "cache", patch)
            for options in requests * 2:
                expected = outcome(compute, *paths, **options, **extra)
                assert outcome(prepare, *paths, **options, **extra) == expected
                if isinstance(expected, dict):
                    assert outcome(recall, *paths, **options, **extra) == expected

    check()


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"valid_fraction": 0.4}, {"most_validated": 50}, {"independent_lines": False}, {"extend": True}],
)
def test_what_changes_the_ids_under_a_given_vocabulary(tmp_path: Path, change: dict[str, Any]) -> None:
    """There the vocabulary does not tell the corpora apart."""
    path = write(tmp_path / "t", NAMES)
    first = {"tokenizer": GIVEN, "independent_lines": True, "seed": 1}
    before, changed = facts(prepare(path, **first)), {**first, **change}
    assert before != facts(compute(path, **changed)) == facts(prepare(path, **changed))
    assert facts(prepare(path, **first)) == before


def test_a_hit_looks_at_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t", PROSE)
    before = prepare(path)
    texts = found(path)
    for name in ("charlm.cache.notes.ByteReader", "charlm.cache.corpora.draft"):
        monkeypatch.setattr(name, None)
    assert facts(corpora.prepare(texts)) == facts(before)


def test_ids_are_mapped_in_the_smallest_type(tmp_path: Path) -> None:
    path = write(tmp_path / "t", PROSE)
    for corpus in (prepare(path), recall(path)):
        assert isinstance(corpus.train.ids, np.memmap)
        assert corpus.train.ids.dtype == np.uint8
    wide = recall_after_prepare(write(tmp_path / "u", "".join(map(chr, range(0x4E00, 0x4E00 + 400))) * 3))
    assert wide.train.ids.dtype == np.uint16


def recall_after_prepare(path: Path) -> Any:
    prepare(path)
    return recall(path)


def test_resuming_finds_what_the_run_began_with(tmp_path: Path, cache: CacheFolder) -> None:
    """The vocabulary is given then, and so is whether lines are independent."""
    for text in (PROSE, NAMES):
        path = write(tmp_path / "t", text)
        begun = prepare(path, level="word", min_count=2, seed=3)
        again = recall(
            path,
            level="word",
            min_count=2,
            seed=3,
            tokenizer=begun.tokenizer,
            independent_lines=begun.independent_lines,
        )
        assert again.tokenizer is begun.tokenizer
        assert facts(again) == {**facts(begun), "detected": False}
    assert len(cache.kept()) == 2


def test_seeds_share_the_ids_of_a_stream(tmp_path: Path, cache: CacheFolder) -> None:
    """No line is drawn from it; from a list there is."""
    stream, lines = write(tmp_path / "t", PROSE), write(tmp_path / "u", NAMES)
    prepare(stream, seed=1)
    recall(stream, seed=2)
    assert len(cache.kept()) == 1
    prepare(lines, seed=1)
    with pytest.raises(AssertionError, match="not in the cache"):
        recall(lines, seed=2)


def test_options_that_come_to_the_same_share_their_ids(tmp_path: Path, cache: CacheFolder) -> None:
    path = write(tmp_path / "t", PROSE)
    for options in ({}, {"max_vocab": 1000}, {"unit": "line"}, {"independent_lines": False}):
        prepare(path, **options)
    assert len(cache.kept()) == 1
    prepare(path, min_count=40)
    assert len(cache.kept()) == 2


def test_small_texts_are_not_kept(tmp_path: Path, cache: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "FEWEST_BYTES", len(PROSE) + 1)
    prepare(write(tmp_path / "t", PROSE))
    assert not cache.path.exists()
    prepare(tmp_path / "t", write(tmp_path / "u", "and some more"))
    assert len(cache.kept()) == 1


def test_what_comes_through_a_pipe_is_not_kept(tmp_path: Path, cache: CacheFolder) -> None:
    texts = find_texts(["-", write(tmp_path / "t", PROSE)], standard_input=lambda: io.BytesIO(NAMES.encode()))
    corpora.prepare(texts)
    corpora.prepare(found(tmp_path / "t"), valid_texts=find_texts(["-"], standard_input=lambda: io.BytesIO(b"abc")))
    assert not cache.path.exists()


def test_an_empty_name_of_a_folder_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARLM_CACHE", "")
    monkeypatch.chdir(tmp_path)
    before = files(tmp_path)
    prepare(write(tmp_path / "t", PROSE))
    assert files(tmp_path) == [*before, "t"]


def test_compressed_texts_are_kept_by_what_they_hold(tmp_path: Path) -> None:
    import gzip  # noqa: PLC0415 - of this test alone

    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(PROSE.encode()))
    assert facts(prepare(path)) == facts(compute(path))
    assert facts(recall(path)) == facts(compute(path))
