"""Which of two sentences a model finds likelier: the examples, and held-out pairs of `agreement.py`, by kind.

    python corpora/judge.py runs/agreement

A model judges a pair rightly if it gives the right sentence the higher probability.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # this folder holds texts and what makes them; it is no package

import agreement

import charlm

EXAMPLES = (
    ("the apple and pear salad", "the apple and pair salad"),
    ("the cat, which already ate, was full", "the cat, which already ate, were full"),
    ("the cats, which already ate, were full", "the cats, which already ate, was full"),
)
MOST_ODDS = 1e6


def likelier(model: charlm.Model, pairs: list[tuple[str, str]]) -> list[float]:
    """By how many nats the first sentence of each pair is likelier than the second."""
    scores = model.score([sentence for pair in pairs for sentence in pair])
    return [right.logprob - wrong.logprob for right, wrong in zip(scores[::2], scores[1::2], strict=True)]


def report(model: charlm.Model, count: int, seed: int) -> Iterator[str]:
    """The lines of the table."""
    yield f"{'likelier':<40} {'than':<40} odds"
    for (right, wrong), nats in zip(EXAMPLES, likelier(model, list(EXAMPLES)), strict=True):
        odds = f"over {MOST_ODDS:,.0f}" if abs(nats) > math.log(MOST_ODDS) else f"{math.exp(abs(nats)):,.0f}"
        first, second = (right, wrong) if nats > 0 else (wrong, right)
        yield f"{first:<40} {second:<40} {odds} : 1{'' if nats > 0 else '  (wrongly)'}"
    yield ""
    yield f"{'held-out pairs':<40} {'judged rightly':<40}"
    for kind in agreement.KINDS:
        pairs = [(pair.right, pair.wrong) for pair in agreement.minimal_pairs(kind, count, seed)]
        judged = sum(nats > 0 for nats in likelier(model, pairs))
        yield f"{kind:<40} {judged} of {count} ({judged / count:.1%})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Which of two sentences a model finds likelier.")
    parser.add_argument("model", help="a run's folder or a model file")
    parser.add_argument("--count", type=int, default=200, help="pairs of each kind (default: 200)")
    parser.add_argument("--seed", type=int, default=7, help="seed of their draw (default: 7)")
    options = parser.parse_args()
    try:
        sys.stdout.writelines(f"{line}\n" for line in report(charlm.load(options.model), options.count, options.seed))
    except (charlm.CharlmError, ValueError) as error:
        parser.exit(2, f"judge.py: {error}\n")


if __name__ == "__main__":
    main()
