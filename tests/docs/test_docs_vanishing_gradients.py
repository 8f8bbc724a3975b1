"""docs/vanishing-gradients.md shows the figures that were measured, of blocks of equal size."""

import json
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

import charlm

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> Any:
    """The script that makes the page's figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "1")  # which the script sets for itself
        return load_script("docs/make_vanishing_gradients.py")


def test_the_page_shows_the_figures(script: Any) -> None:
    """If this fails, ``python docs/make_vanishing_gradients.py --write`` writes tables and plots again."""
    page = (DOCS / "vanishing-gradients.md").read_text(encoding="utf-8")
    figures = json.loads((DOCS / "vanishing-gradients.json").read_text(encoding="utf-8"))
    assert script.with_tables(page, script.tables(figures)) == page
    for which in ("best", "slowest", "before", "after"):
        plot = f"vanishing-gradients-{which}.svg"
        assert plot in page
        assert (DOCS / plot).read_bytes().startswith(b"<?xml")


def test_the_figures_are_those_of_the_experiment(script: Any) -> None:
    figures = json.loads((DOCS / "vanishing-gradients.json").read_text(encoding="utf-8"))
    names = [contestant.name for contestant in script.CONTESTANTS]
    runs = [(run["name"], run["rate"], run["seed"]) for run in figures["runs"]]
    assert runs == [(name, rate, seed) for name in names for rate in script.RATES for seed in script.SEEDS]
    sizes = [run["parameters"] for run in figures["runs"]]
    assert max(sizes) < 1.02 * min(sizes)


def test_pairs_are_judged_by_distance(script: Any) -> None:
    """A model that finds every plural likelier is right for half of the pairs, at any distance."""

    class Plural:
        def score(self, sentences: list[str]) -> list[charlm.Score]:
            plural = (" were ", " are ", " have ")
            logprobs = [float(any(word in sentence for word in plural)) for sentence in sentences]
            return [
                charlm.Score(s, 1, value, value, 0, value, 1, 1, 1)
                for s, value in zip(sentences, logprobs, strict=True)
            ]

    judged = script.accuracy(Plural())
    assert sum(pairs for _, pairs in judged) == 2 * script.PAIRS
    assert all(0 < right < pairs for right, pairs in judged)


def test_tables_are_put_between_their_marks(script: Any) -> None:
    page = "before\n<!-- one -->\nold\n<!-- end of one -->\nafter\n"
    assert script.with_tables(page, {"one": "new"}) == page.replace("old", "new")
    with pytest.raises(ValueError, match="unpack"):
        script.with_tables("no marks", {"one": "new"})
