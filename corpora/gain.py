"""What a tagger or classifier gains from a language model of unlabelled text, for several numbers of labelled examples.

    python corpora/gain.py TRAINING.conll VALIDATION.conll HELD_OUT.conll --sizes 100 1000 10000
    python corpora/gain.py TRAINING.tsv VALIDATION.tsv HELD_OUT.tsv --sizes 100 1000 10000

The language model reads the words of all training examples, without their labels. What is trained is given the labels
of the first ones: once it begins with weights that are drawn, once with those of the language model. Both have the same
sizes. Column files make a tagger, tables a classifier.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import charlm

SIZES: dict[str, Any] = {"hidden": 128, "embedding": 64}


class Task(NamedTuple):
    """What is trained.

    Attributes:
        between: what stands between two examples in a file.
        level: of the language model.
        words: the words of an example, with spaces between.
        figures: what is measured.
        measure: trains on the first file, validated by the second, and measures on the third.
    """

    between: str
    level: str
    words: Callable[[str], str]
    figures: tuple[str, str]
    measure: Callable[[Path, Path, Path, dict[str, Any]], tuple[float, float]]


def entity_f1(training: Path, valid: Path, held_out: Path, options: dict[str, Any]) -> tuple[float, float]:
    """F1 of entities in the held-out sentences, and the share of their labels that are right."""
    found = charlm.train_tagger(training, valid=valid, **options).evaluate(held_out)
    if found.entities is None:
        raise ValueError(f"{training} marks no entities")
    return found.entities.overall.f1, found.accuracy


def accuracies(training: Path, valid: Path, held_out: Path, options: dict[str, Any]) -> tuple[float, float]:
    """Share of right labels among the held-out texts, and among those that validated."""
    classifier = charlm.train_classifier(training, valid=valid, **options)
    return classifier.evaluate(held_out).accuracy, classifier.evaluate(valid).accuracy


def words_of_columns(sentence: str) -> str:
    """The words of a sentence that has a line a word."""
    return " ".join(line.split("\t")[0] for line in sentence.split("\n"))


def words_of_row(row: str) -> str:
    """The text behind a label."""
    return row.partition("\t")[2]


TAGGING = Task("\n\n", "token", words_of_columns, ("entity F1", "accuracy"), entity_f1)
CLASSIFYING = Task("\n", "word", words_of_row, ("accuracy", "validation"), accuracies)


def task_of(file: Path) -> Task:
    """What is trained on such a file."""
    return CLASSIFYING if file.suffix == ".tsv" else TAGGING


def examples(file: Path) -> list[str]:
    """The examples of a file, each as its lines."""
    text = file.read_text(encoding="utf-8").strip()
    return [each for each in text.split(task_of(file).between) if each.strip()]


def report(
    files: tuple[Path, Path, Path], sizes: Sequence[int], scratch: Path, epochs: dict[str, float], seed: int
) -> Iterator[str]:
    """The lines of the table.

    Args:
        files: training, validation, held-out.
        sizes: numbers of labelled examples.
        scratch: a folder to work in.
        epochs: of the language model ("base") and of what is trained from it ("labels"), where not the default.
        seed: of all runs.
    """
    training, valid, held_out = files
    task, every = task_of(training), examples(training)
    unlabelled = scratch / "unlabelled.txt"
    unlabelled.write_text("".join(f"{task.words(each)}\n" for each in every), encoding="utf-8")
    own: dict[str, Any] = {"epochs": epochs["base"]} if "base" in epochs else {}
    charlm.train(
        unlabelled,
        folder=scratch / "base",
        level=task.level,
        independent_lines=True,
        min_count=2,
        seed=seed,
        **SIZES,
        **own,
    )
    length = {"epochs": epochs["labels"]} if "labels" in epochs else {}
    yield f"{'labelled':>10}" + "".join(f"  {title:>10}  {'from model':>10}" for title in task.figures)
    for size in sizes:
        if size > len(every):
            raise ValueError(f"{training} has only {len(every):,} examples, not {size:,}")
        part = scratch / f"{size}{training.suffix}"
        part.write_text(task.between.join(islice(every, size)) + "\n", encoding="utf-8")
        drawn, begun = (
            task.measure(part, valid, held_out, {"seed": seed, **length, **given})
            for given in (SIZES, {"base": str(scratch / "base")})
        )
        figures = (drawn[0], begun[0], drawn[1], begun[1])
        yield f"{size:>10,}  " + "  ".join(f"{figure:>10.1%}" for figure in figures)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What labels gain from a language model of unlabelled text.")
    for name in ("training", "validation", "held_out"):
        parser.add_argument(name, type=Path, help="a column file, or a table (.tsv)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000], help="labelled examples")
    parser.add_argument("--base-epochs", type=float, help="of the language model (default: by its size)")
    parser.add_argument("--label-epochs", type=float, help="of taggers or classifiers (default: by their size)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lengths = {"base": given.base_epochs, "labels": given.label_epochs}
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
