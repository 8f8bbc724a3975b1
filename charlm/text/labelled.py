"""Texts with a label a line, ``label<TAB>text``: the labels are read off before a text is cut into tokens."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError
from charlm.text.store import GrowingStore, Ids

LONGEST_LABEL = 200
"""Characters; a line that has no tab so far has no label."""
MOST_LABELS = 10_000
SHOWN_LABELS = 20
HEAD = "label\ttext"
"""So many are named in a message."""

Through = Callable[[Iterable[str]], Iterator[str]]
"""What blocks of text pass through before they are cut into tokens."""


class LabelReader:
    """Reads labels off the lines of texts; a label is what stands before a line's first tab, without space around it.

    Args:
        known: The names of the labels that there are, by id; None to learn them.

    Attributes:
        names: By id, in the order of their first appearance where they are learnt.
    """

    def __init__(self, known: Sequence[str] | None = None) -> None:
        self.names = list(known or ())
        self._ids = {name: number for number, name in enumerate(self.names)}
        self._learns = known is None

    def strip(self, blocks: Iterable[str], name: str, store: GrowingStore) -> Iterator[str]:
        """The blocks of a text without its labels, whose ids are appended to ``store``, one a line.

        A line of white space is blank, and has the first label; so is a head, "label<TAB>text", on the first line.
        The last line's end is supplied where it is missing.

        Args:
            blocks: A normalised text, cut anywhere.
            name: What messages call it.
            store: Takes the ids.

        Raises:
            InputError: A line has no label, or one that is not known.
        """
        lines = 0
        held = ""  # the beginning of a line whose tab has not come yet
        inside = False  # whether a line goes on whose label has been read
        for block in blocks:
            if inside:
                rest, end, block = block.partition("\n")  # noqa: PLW2901 - what is left of it
                inside = not end
                yield rest + end
                if inside:
                    continue
            *whole, held = (held + block).split("\n")
            read = [self._read(line, name, lines + number) for number, line in enumerate(whole, start=1)]
            lines += len(whole)
            if len(held) > len(HEAD) and ("\t" in held.lstrip() or (len(held) > LONGEST_LABEL and held.strip())):
                lines += 1
                read.append(self._read(held, name, lines))
                inside, held = True, ""
            store.append(np.array([label for label, _ in read], np.int64))
            texts = "\n".join(text for _, text in read) + "\n" * (bool(read) and not inside)
            if texts:
                yield texts
        if held:
            label, text = self._read(held, name, lines + 1)
            store.append(np.array([label]))
            yield text + "\n"
        elif inside:
            yield "\n"

    def _read(self, line: str, name: str, number: int) -> tuple[int, str]:
        """The label's id and the text of a line."""
        before, tab, text = line.partition("\t")
        if not line.strip() or (number == 1 and line == HEAD):
            return 0, ""
        where = f"{name}, line {number}"
        if not tab or len(before) > LONGEST_LABEL:
            raise InputError(f"{where}: there is no tab behind a label. Each line is a label, a tab, and a text")
        label = before.strip()
        if not label:
            raise InputError(f"{where}: the label before the tab is empty. Each line is a label, a tab, and a text")
        found = self._ids.get(label)
        return self._learn(label, where) if found is None else found, text

    def _learn(self, label: str, where: str) -> int:
        if not self._learns:
            raise InputError(
                f"{where}: the label {label!r} never occurred in training. Labels that did: {listed(self.names)}"
            )
        if len(self.names) == MOST_LABELS:
            raise InputError(f"{where}: more than {MOST_LABELS:,} labels. Is the first column of the text a label?")
        self._ids[label] = len(self.names)
        self.names.append(label)
        return self._ids[label]


def listed(names: Sequence[str]) -> str:
    """Names of labels for a message; only the first where there are many."""
    more = f" and {len(names) - SHOWN_LABELS:,} more" if len(names) > SHOWN_LABELS else ""
    return ", ".join(names[:SHOWN_LABELS]) + more


def let_each_train(validates: NDArray[np.bool_], labels: Ids) -> None:
    """Let the first line of every label train of which else all lines would validate.

    Args:
        validates: bool [lines]; changed in place.
        labels: [lines], the label of each.
    """
    for label in np.setdiff1d(labels[validates], labels[~validates]):
        validates[np.flatnonzero(labels == label)[0]] = False


def by_count(names: Sequence[str], counts: NDArray[np.int64]) -> list[int]:
    """Ids of labels in the order in which a model has them: by falling count, ties by code point."""
    return sorted(range(len(names)), key=lambda label: (-int(counts[label]), names[label]))


def check_several(name: str, names: Sequence[str]) -> None:
    """Check that a text to learn from has more than one label.

    Raises:
        InputError: It has none, or one.
    """
    if len(names) < 2:  # noqa: PLR2004 - one label tells nothing apart
        what = f"a single label, {names[0]!r}" if names else "no label"
        raise InputError(
            f"{name} has {what}: there is nothing to tell apart. Add texts of another, or train without --labels on "
            "the texts alone"
        )


def check_each_trains(name: str, names: Sequence[str], counts: NDArray[np.int64]) -> None:
    """Check that every label can be learnt.

    Args:
        name: What messages call the text.
        names: Those that it has.
        counts: int64 [labels], texts of each that train.

    Raises:
        InputError: There is one without any text.
    """
    empty = [names[label] for label in np.flatnonzero(counts == 0).tolist()]
    if empty:
        raise InputError(f"{name}: no text to train on has the label {empty[0]!r}. Add one, or take the label out")
