"""Training and validation parts of a text, given as provisional ids with <EOS> as id 0.

A *split* is a function that yields pairs (training ids, validation ids) in the order of the file, block by
block, the same ones whenever it is called; so a part can be walked several times without a copy of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from charlm.text.labelled import by_count, check_each_trains, let_each_train
from charlm.text.level import TypeFacts
from charlm.text.lines import divide_lines, draw_lines, is_list, labels_kept, survey_lines
from charlm.text.store import BLOCK_IDS, Ids, blocks_of
from charlm.text.vocabulary import EOS

DEFAULT_FRACTION = 0.1
MOST_VALIDATED = 1_000_000

Split = Callable[[], Iterator[tuple[Ids, Ids]]]


@dataclass(frozen=True)
class Plan:
    """How a text is split.

    Attributes:
        split: The split.
        independent_lines: Whether each line is a text of its own.
        blank_lines: Blank lines that are left out, which is done where lines are independent.
        labels: Of the lines of either part, where they have some.
    """

    split: Split
    independent_lines: bool
    blank_lines: int
    labels: tuple[Ids, Ids] | None = None


def plan_split(
    ids: Ids,
    valid_ids: Ids | None,
    facts: TypeFacts,
    *,
    independent_lines: bool | None,
    fraction: float,
    seed: int,
    labels: tuple[Ids, Ids | None] | None = None,
) -> Plan:
    """Choose how to split.

    Args:
        ids: The text.
        valid_ids: A text to validate with; all of `ids` trains then.
        facts: What is known of the types of both.
        independent_lines: Whether each line is a text of its own; None to find out.
        fraction: How much of `ids` to keep for validation if there are no `valid_ids`.
        seed: Seed for drawing lines.
        labels: Those of all lines of `ids` and `valid_ids`, where lines have some; lines are independent then.
    """
    survey = survey_lines(ids, facts) if independent_lines else None
    if independent_lines is None:
        survey = is_list(ids, facts)
    if survey is None:
        whole = split_stream(ids, facts, fraction) if valid_ids is None else join(ids, valid_ids, facts)
        return Plan(whole, independent_lines=False, blank_lines=0)
    if valid_ids is not None:
        blank_lines = survey.blank + survey_lines(valid_ids, facts).blank
        both = None
        if labels is not None and labels[1] is not None:
            both = labels_kept(ids, facts, labels[0]), labels_kept(valid_ids, facts, labels[1])
        return Plan(join(ids, valid_ids, facts, independent_lines=True), True, blank_lines, both)
    validates = draw_lines(survey.lines - survey.blank, fraction, seed)
    if labels is None:
        return Plan(lambda: divide_lines(ids, facts, validates), True, survey.blank)
    kept = labels_kept(ids, facts, labels[0])
    let_each_train(validates, kept)
    divided = kept[~validates], kept[validates]
    return Plan(lambda: divide_lines(ids, facts, validates), True, survey.blank, divided)


def settle_labels(plan: Plan, name: str, names: Sequence[str], *, learnt: bool) -> tuple[Plan, tuple[str, ...]]:
    """A plan with the ids that its labels have in a model, and their names in this order.

    Args:
        plan: With ids in the order of their first appearance.
        name: What messages call the text.
        names: In that order.
        learnt: Whether they were; labels that were known stay as they are.

    Raises:
        InputError: No text to train on has one of them.
    """
    assert plan.labels is not None  # noqa: S101 - where labels were read
    if not learnt:
        return plan, tuple(names)
    train, valid = plan.labels
    counts = np.bincount(train, minlength=len(names))
    check_each_trains(name, names, counts)
    order = by_count(names, counts)
    ids = np.argsort(order).astype(np.min_scalar_type(len(order)))
    return replace(plan, labels=(ids[train], ids[valid])), tuple(names[label] for label in order)


def default_fraction(ids: Ids, facts: TypeFacts, most: int = MOST_VALIDATED) -> float:
    """How much of a text validates where nobody said: a tenth, but no more than so many code points.

    More would cost long texts much time for digits that nobody reads. Spaces between words that are no tokens
    are counted by and large (`TypeFacts.sizes`), here as where a stream is cut.
    """
    return min(DEFAULT_FRACTION, most / max(_size(ids, facts), 1))


def take_all(ids: Ids, facts: TypeFacts, *, independent_lines: bool = False) -> Split:
    """Put all of a text (but for the blank ones of independent lines) into the first part."""
    if independent_lines:
        return lambda: divide_lines(ids, facts, None)
    return lambda: ((block, block[:0]) for block in blocks_of(ids))


def join(ids: Ids, valid_ids: Ids, facts: TypeFacts, *, independent_lines: bool = False) -> Split:
    """Put all of one text into the first part and all of another into the second."""
    train, valid = (take_all(each, facts, independent_lines=independent_lines) for each in (ids, valid_ids))

    def parts() -> Iterator[tuple[Ids, Ids]]:
        yield from train()
        yield from ((nothing, block) for block, nothing in valid())

    return parts


def split_stream(ids: Ids, facts: TypeFacts, fraction: float) -> Split:
    """Split a stream so that about the last `fraction` of its code points validates.

    Validation begins at the first line start at or after that point, or at the point itself if no line starts
    there.
    """
    cut = _cut(ids, facts, fraction)

    def parts() -> Iterator[tuple[Ids, Ids]]:
        nothing = ids[:0]
        yield from ((block, nothing) for block in blocks_of(ids[:cut]))
        yield from ((nothing, block) for block in blocks_of(ids[cut:]))

    return parts


def _size(ids: Ids, facts: TypeFacts) -> int:
    """How many code points a text has, by and large."""
    if (facts.sizes == 1).all():
        return len(ids)
    return sum(int(facts.sizes[block].sum()) for block in blocks_of(ids))


def _cut(ids: Ids, facts: TypeFacts, fraction: float) -> int:
    one_each = (facts.sizes == 1).all()
    point = len(ids) - round(len(ids) * fraction) if one_each else _token_at(ids, facts, fraction)
    # An <EOS> that stands for no text makes no line of its own.
    stop = len(ids) - int(facts.sizes[EOS] == 0)
    line_ends = np.zeros(len(facts.sizes), np.bool_)
    line_ends[list(facts.line_ends)] = True
    before = max(point - 1, 0)
    for number, block in enumerate(blocks_of(ids[before : stop - 1])):
        found = np.flatnonzero(line_ends[block])
        if found.size:
            return before + number * BLOCK_IDS + int(found[0]) + 1
    return point


def _token_at(ids: Ids, facts: TypeFacts, fraction: float) -> int:
    """The number of tokens before the last `fraction` of the code points."""
    total = _size(ids, facts)
    character = total - round(total * fraction)
    seen = passed = 0
    for block in blocks_of(ids):
        reached = seen + np.cumsum(facts.sizes[block])
        if reached[-1] > character:
            return passed + int(np.searchsorted(reached, character, side="right"))
        seen = int(reached[-1])
        passed += len(block)
    return passed
