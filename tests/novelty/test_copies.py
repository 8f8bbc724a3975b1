"""What samples copy: the stretch, where it stands, and samples that copy little."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from comparing_cases import random_model

from charlm.api import Model
from charlm.cache.folder import CacheFolder
from charlm.errors import SearchError
from charlm.novelty import kept as kept_module
from charlm.novelty.copies import Copied, TrainingText, novel_samples
from charlm.novelty.kept import index_of
from charlm.sample_options import sampling_config
from charlm.samples import draw_samples, read_prompt
from charlm.text.corpus import encode_texts
from charlm.text.sources import find_texts

LETTERS = random_model(["a", "b", "c", " "], seed=1)
WORDS = random_model(["the", "cat", "sat", "dog", "\uffed."], level="word", seed=2)


def training(model: Model, path: Path, text: str) -> TrainingText:
    path.write_text(text, encoding="utf-8")
    tokenizer = model.trained.tokenizer
    return TrainingText(model.trained, encode_texts(find_texts([str(path)], encoding="utf-8"), tokenizer=tokenizer))


def copied(model: Model, text: TrainingText, sample: str) -> Copied | None:
    return text.copied(model.encode(sample))


def test_stretch_place_and_line(tmp_path: Path) -> None:
    text = training(LETTERS, tmp_path / "text", "ab\ncab abc\nbb\n")
    assert copied(LETTERS, text, "cc abc\nba") == Copied(" abc\nb".strip(), 6, 6, 2)
    assert copied(LETTERS, text, "bb\nbb") == Copied("bb", 3, 11, 3)


def test_words_are_counted_as_the_model_reads_them(tmp_path: Path) -> None:
    text = training(WORDS, tmp_path / "text", "the cat sat.\nthe dog sat.\n")
    assert copied(WORDS, text, "cat the dog sat") == Copied("the dog sat", 3, 5, 2)
    assert copied(WORDS, text, "dog dog") == Copied("dog", 1, 6, 2)


def test_what_is_unknown_or_the_end_is_not_copied(tmp_path: Path) -> None:
    """<UNK> stands for a token that is not known, maybe for another one there."""
    text = training(LETTERS, tmp_path / "text", "a?b?a\n")
    found = copied(LETTERS, text, "a?b")
    assert found is not None
    assert (found.text, found.tokens, found.line) == ("a", 1, 1)
    assert copied(LETTERS, text, "??") is None
    assert text.copied(np.array([0])) is None


def test_beyond_a_number_of_tokens(tmp_path: Path) -> None:
    text = training(LETTERS, tmp_path / "text", "abcabc\n")
    ids = LETTERS.encode("bca")
    found = text.copied(ids, beyond=2)
    assert found is not None
    assert found.tokens == 3
    assert text.copied(ids, beyond=3) is None


def test_samples_that_copy_are_left_out(tmp_path: Path) -> None:
    """What is kept are the first ones of all that were drawn that copy little, in their order."""
    text = training(LETTERS, tmp_path / "text", "abcab cab\nbab\n")
    model = LETTERS.trained
    prompts = [read_prompt(model, each) for each in ("a", "b")]
    config = sampling_config(model, length=12)

    def drawn(number: int) -> list[tuple[str, int, str]]:
        samples = draw_samples(model, prompts, 3, number, config)
        return [(each.prompt.text, each.index, each.text) for each in samples]

    samples = draw_samples(model, prompts, 3, 100, config)
    kept = [(each.prompt.text, each.index, each.text) for each in novel_samples(samples, text, 2, 2, 2)]
    expected: list[tuple[str, int, str]] = []
    for each in drawn(100):
        stretch = text.copied(LETTERS.encode(each[2][1:]))
        if (stretch is None or stretch.tokens <= 2) and sum(one[0] == each[0] for one in expected) < 2:
            expected.append(each)
    assert kept == expected
    # The first four that copy little are not two of each prompt.
    assert [each[:2] for each in kept] == [("a", 0), ("a", 2), ("b", 2), ("b", 3)]


def test_kept_samples_can_be_written(tmp_path: Path) -> None:
    text = training(LETTERS, tmp_path / "text", "ab\n")
    model = LETTERS.trained
    samples = draw_samples(model, [read_prompt(model, "a")], 3, 5, sampling_config(model, length=9))
    for each in novel_samples(samples, text, 9, 5):
        assert b"".join(each.pieces()).decode() == each.continuation


def test_too_few_are_said(tmp_path: Path) -> None:
    text = training(LETTERS, tmp_path / "text", "abc ab\n")
    model = LETTERS.trained
    samples = draw_samples(model, [read_prompt(model, "")], 3, 30, sampling_config(model, length=9))
    with pytest.raises(SearchError, match=r"of 30 samples that were drawn, only 0 of the 2 wanted copy no more than 0"):
        list(novel_samples(samples, text, 0, 2))


def test_an_index_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept_module, "SPARE_BYTES", 0)
    built: list[str] = []
    ids = np.arange(40, dtype=np.uint8) % 7
    for text in (ids, ids, ids[:-1], ids):
        found = index_of(text, lambda: built.append("built"))
        assert found.longest(np.array([3, 4, 5, 5])).length == 3
    assert len(built) == 2
    kept = CacheFolder(tmp_path / "cache").kept(labels=True)
    assert sorted(each.label["tokens"] for each in kept if each.label) == [39, 40]
    for each in kept:
        data = bytearray(each.path.read_bytes())
        data[3] ^= 1
        each.path.write_bytes(data)
    assert index_of(ids, lambda: built.append("built")).longest(np.array([3, 4, 5, 5])).length == 3
    assert len(built) == 3
    assert len(CacheFolder(tmp_path / "cache").clear()) == 2


def test_without_a_cache_it_is_built_for_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert index_of(np.array([1, 2, 3], np.uint8)).longest(np.array([2, 3])).length == 2
    assert list(tmp_path.iterdir()) == []
