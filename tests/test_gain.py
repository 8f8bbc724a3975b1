"""corpora/gain.py: what it compares differs in nothing but where it begins."""

from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

import charlm

gain = load_script("corpora/gain.py", shared=True)
cases = load_script("tests/cli/tag_cases.py")


def write(folder: Path) -> tuple[Path, Path, Path]:
    """Training, validation and held-out sentences."""
    first, second, third = (
        cases.write_columns(folder / f"{name}.conll", number, seed)
        for seed, (name, number) in enumerate((("training", 80), ("validation", 30), ("held-out", 30)))
    )
    return first, second, third


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    train = charlm.train_tagger

    def tried(corpus: Path, **options: Any) -> charlm.Tagger:
        asked.append({"sentences": len(gain.examples(corpus)), **options})
        return train(corpus, **options)

    monkeypatch.setattr(charlm, "train_tagger", tried)
    monkeypatch.setattr(gain, "SIZES", {"hidden": 8, "embedding": 8})
    lines = list(gain.report(write(tmp_path), [20, 80], tmp_path, {"base": 1, "labels": 1}, 3))
    assert [line.split()[0] for line in lines[1:]] == ["20", "80"]
    assert all(len(line.split()) == 5 for line in lines[1:])
    assert [each["sentences"] for each in asked] == [20, 20, 80, 80]
    assert [each.get("base") for each in asked] == [None, str(tmp_path / "base")] * 2
    assert {each["seed"] for each in asked} == {3}
    assert charlm.load(tmp_path / "base").trained.network.config.hidden == 8
    unlabelled = (tmp_path / "unlabelled.txt").read_text().splitlines()
    assert unlabelled == [" ".join(word for word, _ in each) for each in cases.sentences(80, 0)]


def test_more_sentences_than_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has only 80 examples, not 81"):
        list(gain.report(write(tmp_path), [81], tmp_path, {"base": 0.1, "labels": 0.1}, 1))
