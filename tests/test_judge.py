"""corpora/judge.py: what is likelier is counted as such, in the right direction."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from scripts import load_script

agreement = load_script("corpora/agreement.py", shared=True)
judge = load_script("corpora/judge.py", shared=True)


def model_of(liked: set[str], by: float) -> Any:
    """A model that finds some sentences likelier than all others, by so many nats."""

    def score(sentences: list[str]) -> list[Any]:
        return [SimpleNamespace(logprob=by if sentence in liked else 0.0) for sentence in sentences]

    return SimpleNamespace(score=score)


def pairs(place: int) -> set[str]:
    """The right (1) or wrong (2) sentences of all pairs."""
    drawn = {pair[place] for kind in agreement.KINDS for pair in agreement.minimal_pairs(kind, 20, 7)}
    return drawn | {example[place - 1] for example in judge.EXAMPLES}


@pytest.mark.parametrize(("place", "judged"), [(1, "20 of 20 (100.0%)"), (2, "0 of 20 (0.0%)")])
def test_accuracy(place: int, judged: str) -> None:
    lines = list(judge.report(model_of(pairs(place), 3.0), 20, 7))
    for kind, line in zip(agreement.KINDS, lines[-len(agreement.KINDS) :], strict=True):
        assert line.split() == [kind, *judged.split()]


def test_odds_and_direction() -> None:
    right = list(judge.report(model_of(pairs(1), 3.0), 3, 7))
    assert right[1].split("  ")[0] == "the apple and pear salad"
    assert right[1].endswith("20 : 1")
    wrong = list(judge.report(model_of(pairs(2), 30.0), 3, 7))
    assert wrong[1].split("  ")[0] == "the apple and pair salad"
    assert wrong[1].endswith("over 1,000,000 : 1  (wrongly)")


def test_a_tie_is_not_right() -> None:
    assert list(judge.report(model_of(set(), 0.0), 3, 7))[-1].endswith("0 of 3 (0.0%)")


def test_no_model_is_one_message(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["judge.py", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        judge.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("judge.py: no model at nowhere")
