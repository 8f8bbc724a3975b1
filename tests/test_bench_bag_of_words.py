"""The peer that counts words: what it can tell, and what it cannot."""

import sys
from pathlib import Path

import pytest
from bench import bag_of_words, command

WORDS = [("good", "a fine film"), ("bad", "a poor film"), ("good", "fine, all of it"), ("bad", "poor in every way")]
ORDER = [
    ("good", "fine, not poor"),
    ("bad", "poor, not fine"),
    ("bad", "not fine but poor"),
    ("good", "not poor but fine"),
]


def table(path: Path, rows: list[tuple[str, str]]) -> str:
    """A file of labelled texts."""
    path.write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    return str(path)


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The accuracies that were printed, by what was counted."""
    lines = capsys.readouterr().out.splitlines()[1:]
    return {line[:40].strip(): line[40:].split()[0] for line in lines}


def test_words_decide_or_their_order_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where order decides, single words are no better than chance, and pairs of them see it."""
    pytest.importorskip("sklearn")
    words, order = table(tmp_path / "words.tsv", WORDS), table(tmp_path / "order.tsv", ORDER)
    assert command.main(["bag-of-words", words, words]) == 0
    assert figures(capsys) == {"words": "100.0%", "words and pairs": "100.0%"}
    assert command.main(["bag-of-words", order, order]) == 0
    assert figures(capsys) == {"words": "50.0%", "words and pairs": "100.0%"}


@pytest.mark.parametrize(
    ("training", "held_out", "status", "why"),
    [
        (WORDS, [("new", "a film")], 3, "b.tsv, line 1: the label 'new' did not occur in training"),
        (WORDS[:1], WORDS, 3, "a.tsv holds no label but 'good'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    training: list[tuple[str, str]],
    held_out: list[tuple[str, str]],
    status: int,
    why: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(SystemExit) as ended:
        bag_of_words.main([table(tmp_path / "a.tsv", training), table(tmp_path / "b.tsv", held_out)])
    assert ended.value.code == status
    assert why in capsys.readouterr().err


def test_without_scikit_learn_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    words = table(tmp_path / "words.tsv", WORDS)
    with pytest.raises(SystemExit) as ended:
        bag_of_words.main([words, words])
    assert ended.value.code == 1
    assert "pip install -e '.[bench]'" in capsys.readouterr().err
