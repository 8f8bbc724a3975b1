"""What a tagger gains from a language model of unlabelled text, for several numbers of labelled sentences.

    python corpora/gain.py TRAINING.conll VALIDATION.conll HELD_OUT.conll --sizes 100 1000 10000

The language model reads the words of all training sentences, without their labels. A tagger is given the labels of the
first ones: once it begins with weights that are drawn, once with those of the language model. Both have the same sizes.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import charlm

SIZES: dict[str, Any] = {"hidden": 128, "embedding": 64}
BLANK = "\n\n"


def sentences(file: Path) -> list[str]:
    """The sentences of a column file, each as its lines."""
    return [each for each in file.read_text(encoding="utf-8").strip().split(BLANK) if each.strip()]


def words(sentence: str) -> str:
    """The words of a sentence, with spaces between."""
    return " ".join(line.split("\t")[0] for line in sentence.split("\n"))


def entity_f1(training: Path, valid: Path, held_out: Path, options: dict[str, Any]) -> tuple[float, float]:
    """F1 of entities in the held-out sentences, and the share of right labels among words that training lacks."""
    found = charlm.train_tagger(training, valid=valid, **options).evaluate(held_out)
    if found.entities is None:
        raise ValueError(f"{training} marks no entities")
    return found.entities.overall.f1, found.unknown_accuracy or 0.0


def report(
    files: tuple[Path, Path, Path], sizes: Sequence[int], scratch: Path, epochs: dict[str, float], seed: int
) -> Iterator[str]:
    """The lines of the table.

    Args:
        files: training, validation, held-out.
        sizes: numbers of labelled sentences.
        scratch: a folder to work in.
        epochs: of the language model ("base") and of the taggers ("tagger"), where not the default.
        seed: of all runs.
    """
    training, valid, held_out = files
    every = sentences(training)
    unlabelled = scratch / "unlabelled.txt"
    unlabelled.write_text("".join(f"{words(each)}\n" for each in every), encoding="utf-8")
    own: dict[str, Any] = {"epochs": epochs["base"]} if "base" in epochs else {}
    charlm.train(
        unlabelled,
        folder=scratch / "base",
        level="token",
        independent_lines=True,
        min_count=2,
        seed=seed,
        **SIZES,
        **own,
    )
    length = {"epochs": epochs["tagger"]} if "tagger" in epochs else {}
    yield f"{'labelled':>10}  {'entity F1':>10}  {'from model':>10}  {'new words':>10}  {'from model':>10}"
    for size in sizes:
        if size > len(every):
            raise ValueError(f"{training} has only {len(every):,} sentences, not {size:,}")
        part = scratch / f"{size}.conll"
        part.write_text(BLANK.join(islice(every, size)) + "\n", encoding="utf-8")
        drawn, begun = (
            entity_f1(part, valid, held_out, {"seed": seed, **length, **given})
            for given in (SIZES, {"base": str(scratch / "base")})
        )
        figures = (drawn[0], begun[0], drawn[1], begun[1])
        yield f"{size:>10,}  " + "  ".join(f"{figure:>10.1%}" for figure in figures)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a tagger gains from a language model of unlabelled text.")
    for name in ("training", "validation", "held_out"):
        parser.add_argument(name, type=Path, help="a column file")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000], help="labelled sentences")
    parser.add_argument("--base-epochs", type=float, help="of the language model (default: by its size)")
    parser.add_argument("--tagger-epochs", type=float, help="of the taggers (default: by their size)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lengths = {"base": given.base_epochs, "tagger": given.tagger_epochs}
    epochs = {name: value for name, value in lengths.items() if value is not None}
    files = (given.training, given.validation, given.held_out)
    try:
        with tempfile.TemporaryDirectory(prefix="gain-") as scratch:
            for line in report(files, given.sizes, Path(scratch), epochs, given.seed):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    except (charlm.CharlmError, ValueError, OSError) as error:
        parser.exit(2, f"gain.py: {error}\n")


if __name__ == "__main__":
    main()
