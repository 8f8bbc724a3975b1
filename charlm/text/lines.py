"""Lists of lines that are independent of each other, such as names: to recognise and to split them.

Texts are given as provisional ids with each line ended by <EOS>, and are walked in blocks of whole lines, so
that memory is bounded by the block size or by the longest line, whichever is more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.text.level import TypeFacts
from charlm.text.store import BLOCK_IDS, GrowingStore, Ids, blocks_of, look_up
from charlm.text.vocabulary import EOS

LIST_LINES = 20
LIST_CHARACTERS = 40
LIST_WORDS = 4
LIST_SHARE = 0.95

# A seed serves other purposes too; the key keeps the draw of lines independent of them.
_DRAW_KEY = 0x11E5
_DRAW_LINES = 1 << 16

_TRAINS, _VALIDATES, _BLANK = range(3)


@dataclass(frozen=True)
class LineSurvey:
    """What the lines of a text look like.

    Attributes:
        lines: All lines.
        blank: Lines of nothing but white space.
        items: Lines that could be items of a list: not blank, at most 40 characters and 4 words, whatever
            the tokens are.
    """

    lines: int
    blank: int
    items: int


def survey_lines(ids: Ids, facts: TypeFacts, *, most_others: int | None = None) -> LineSurvey:
    """Count the lines of a text whose lines end in <EOS>.

    Args:
        ids: Provisional ids.
        facts: What is known of the types.
        most_others: Stop where more lines than that could not be items of a list; None to go to the end.
    """
    lines = blank = items = 0
    end = facts.characters[EOS]
    plain = bool((facts.characters == 1).all()) and not facts.parted.any()
    for block in _line_blocks(ids):
        starts, lengths = _lines_of(block)
        spaces, gaps = look_up(facts.spaces, block), facts.gaps(block)
        after_space = np.append(True, spaces[:-1])
        words = np.add.reduceat(~spaces & (after_space | gaps), starts, dtype=np.int32)
        characters = lengths - 1 if plain else np.add.reduceat(facts.characters[block] + gaps, starts) - end
        lines += len(starts)
        blank += int((words == 0).sum())
        items += int(((words > 0) & (words <= LIST_WORDS) & (characters <= LIST_CHARACTERS)).sum())
        if most_others is not None and lines - items > most_others:
            break
    return LineSurvey(lines, blank, items)


def looks_like_list(survey: LineSurvey) -> bool:
    """Whether a text is a list of independent lines, such as names: at least 20 lines, 95 % of them short."""
    return survey.lines >= LIST_LINES and survey.items >= LIST_SHARE * survey.lines


def is_list(ids: Ids, facts: TypeFacts) -> LineSurvey | None:
    """The survey of a text that looks like a list; None of one that does not, which shows early in most texts."""
    lines = sum(int(np.count_nonzero(block == EOS)) for block in blocks_of(ids))
    # With so many other lines the share of items is too small, among the lines so far and among all.
    survey = survey_lines(ids, facts, most_others=int((1 - LIST_SHARE) * lines) + 1)
    return survey if looks_like_list(survey) else None


def divide_lines(ids: Ids, facts: TypeFacts, validates: NDArray[np.bool_] | None) -> Iterator[tuple[Ids, Ids]]:
    """Divide a text by its lines; blank ones go to neither part.

    Args:
        ids: Provisional ids; each line ends in <EOS>.
        facts: What is known of the types.
        validates: bool [lines that are not blank], whether each goes to validation; None for none.

    Yields:
        Pairs of training and validation ids, in the order of the text.
    """
    passed = 0
    for block in _line_blocks(ids):
        starts, lengths = _lines_of(block)
        kept = _not_blank(block, starts, facts)
        goes = np.where(kept, np.uint8(_TRAINS), np.uint8(_BLANK))
        number = int(np.count_nonzero(kept))
        if validates is not None:
            goes[kept] = validates[passed : passed + number]  # true is _VALIDATES
        passed += number
        side = np.repeat(goes, lengths)
        yield block[side == _TRAINS], block[side == _VALIDATES]


def labels_kept(ids: Ids, facts: TypeFacts, labels: Ids) -> Ids:
    """Of the labels of all lines, those of the lines that are not blank.

    Raises:
        OutputError: There is no space for temporary files.
    """
    passed = 0
    with GrowingStore() as store:
        for block in _line_blocks(ids):
            starts, _ = _lines_of(block)
            store.append(labels[passed : passed + len(starts)][_not_blank(block, starts, facts)])
            passed += len(starts)
        return store.finish()


def draw_lines(lines: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Draw a seeded `fraction` of lines at random.

    Returns:
        bool [lines], true for round(lines * fraction) of them.
    """
    # Raw output of PCG64 stays the same over versions of NumPy, which shuffling does not promise.
    source = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(_DRAW_KEY,)))
    drawn = np.zeros(lines, np.bool_)
    taken = 0
    # A group of lines at a time bounds the memory, and spreads the draw evenly over a sorted list.
    for start in range(0, lines, _DRAW_LINES):
        stop = min(start + _DRAW_LINES, lines)
        quota = round(stop * fraction) - taken
        lots = source.random_raw(stop - start)
        if quota:
            drawn[start:stop] = lots <= np.partition(lots, quota - 1)[quota - 1]
        taken += quota
    return drawn


def _not_blank(block: Ids, starts: NDArray[np.int64], facts: TypeFacts) -> NDArray[np.bool_]:
    """Which of the lines in a block of whole lines hold more than white space."""
    found: NDArray[np.bool_] = np.logical_or.reduceat(~look_up(facts.spaces, block), starts)
    return found


def _line_blocks(ids: Ids, size: int = BLOCK_IDS) -> Iterator[Ids]:
    """Blocks of whole lines, each of about `size` ids or of one longer line."""
    plain = np.asarray(ids)
    start, reach = 0, size
    while start < len(plain):
        block = plain[start : start + reach]
        ends = np.flatnonzero(block == EOS)
        if not ends.size:
            reach *= 2
            continue
        stop = int(ends[-1]) + 1
        yield block[:stop]
        start, reach = start + stop, size


def _lines_of(block: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and length, with the <EOS>, of each line in a block of whole lines."""
    ends = np.flatnonzero(block == EOS)
    starts = np.append(0, ends[:-1] + 1)
    return starts, ends + 1 - starts
