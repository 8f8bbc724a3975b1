"""Refusing texts, and ways to read them, that leave nothing to learn."""

import numpy as np
from numpy.typing import NDArray

from charlm.errors import InputError, UsageError
from charlm.text.level import TypeFacts
from charlm.text.store import Ids, blocks_of


def check_lines(unit: str, independent_lines: bool | None, *, labels: bool = False) -> None:
    """Check that lines can be independent, or have labels, in texts of this unit.

    Raises:
        UsageError: They cannot.
    """
    if labels and independent_lines is False:
        raise UsageError("--labels makes every line a text of its own: leave out --no-independent-lines")
    if labels and unit != "line":
        raise UsageError(
            f"--labels makes every line a text of its own, so it needs --unit line, but the unit is {unit}"
        )
    if independent_lines and unit != "line":
        raise UsageError(f"--independent-lines needs --unit line, but the unit is {unit}")


def check_variety(name: str, noun: str, ids: Ids) -> None:
    """Check that a text, given as provisional ids, is more than one thing repeated.

    Raises:
        InputError: It is not.
    """
    # The <EOS> that closes every text is no variety, unless something follows it.
    first = ids[0]
    if all((block == first).all() for block in blocks_of(ids[:-1])):
        raise InputError(f"{name} holds nothing to learn: one repeated {noun}; name a longer text")


def check_parts(name: str, valid_name: str, counts: NDArray[np.int64], facts: TypeFacts, fraction: float) -> None:
    """Check that there is something in either part.

    Args:
        name: What messages call the text.
        valid_name: What they call that which validates.
        counts: int64 [2, types], how often each type occurs in either part.
        facts: What is known of the types.
        fraction: How much of the text was to validate.

    Raises:
        InputError: There is not.
    """
    trains, validates = (int(count @ facts.sizes) > 0 for count in counts)
    if not trains and not validates:
        raise InputError(f"{name} holds only blank lines: there is nothing to learn in it")
    if not trains:
        raise InputError(
            f"{name} leaves nothing to train on with --valid-fraction {fraction}: make it smaller or add text"
        )
    if not validates:
        raise InputError(
            f"{valid_name} leaves nothing to validate with: name a text with --valid FILE, "
            f"make --valid-fraction larger than {fraction}, or add text"
        )
