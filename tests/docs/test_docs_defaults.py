"""The table of defaults in docs/performance.md is the one in the code."""

import re
from pathlib import Path

from charlm.training.defaults import default_sizes

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def rows() -> list[list[str]]:
    """The cells of the table, without its heading."""
    table = re.search(
        r"^\| level \| tokens .*\n\|[-| ]+\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def number(text: str) -> float:
    digits = re.search(r"[0-9][0-9,.e-]*", text)
    assert digits is not None, text
    return float(digits[0].replace(",", "")) * (1e6 if "million" in text else 1)


def test_the_table_is_what_is_chosen() -> None:
    level, limit, seen = "", 0.0, 0
    for names, tokens, hidden, embedding, step, epochs, most, lr, dropout, decay in rows():
        if names:
            level, limit = names.split(",")[0], 0.0
        limit = number(tokens) - 1 if tokens != "more" else 1e10
        sizes = default_sizes(int(limit), level)
        window, batch = map(int, step.split(" x "))
        assert (sizes.hidden, sizes.embedding) == (int(hidden), int(embedding))
        assert (sizes.window, sizes.batch, sizes.epochs) == (window, batch, float(epochs))
        assert (sizes.lr, sizes.dropout, sizes.weight_decay) == (float(lr), float(dropout), float(decay))
        assert sizes.most == (number(most) if most else None)
        seen += 1
    assert seen == 8
