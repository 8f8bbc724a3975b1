"""The tables of defaults and plans in docs/performance.md are those in the code."""

import re
from dataclasses import replace
from pathlib import Path

from charlm.training.planning import reference_sizes, timed_sizes
from charlm.training.presets import default_sizes

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def rows(second: str) -> list[list[str]]:
    """The cells of the table whose second column has such a heading, without the headings."""
    page = PAGE.read_text(encoding="utf-8")
    table = re.search(rf"^\| level \| {second} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def number(text: str) -> float:
    digits = re.search(r"[0-9][0-9,.e-]*", text)
    assert digits is not None, text
    return float(digits[0].replace(",", "")) * (1e6 if "million" in text else 1)


def test_the_table_is_what_is_chosen() -> None:
    level, seen = "", 0
    for names, tokens, preset, hidden, embedding, step, *training in rows("tokens"):
        epochs, most, optimizer, lr, schedule, average, dropout, decay = training
        level = names.split(",")[0] or level
        sizes = default_sizes(int(number(tokens)) - 1 if tokens != "more" else 10**10, level, preset)
        width = sizes.hidden if embedding == "tied" else int(embedding)
        assert (sizes.hidden, sizes.embedding, sizes.tied) == (int(hidden), width, embedding == "tied")
        assert (f"{sizes.window} x {sizes.batch}", sizes.epochs) == (step, float(epochs))
        assert (sizes.optimizer, sizes.schedule, sizes.average) == (optimizer, schedule, average)
        assert (sizes.lr, sizes.dropout, sizes.weight_decay) == (float(lr), float(dropout), float(decay))
        assert sizes.most == (number(most) if most else None)
        seen += 1
    assert seen == 22


def test_the_plans_are_those_of_the_table() -> None:
    """In bold where the reference stands, by whose speed it is decided."""
    level, seen = "", 0
    for names, readable, hidden, embedding, step, lr, decay in rows("could be read"):
        level = names.split(",")[0] or level
        limit = 1e10 if "more" in readable else number(readable)
        sizes = timed_sizes(10**12, level, limit - 1, speed=1)
        width = sizes.hidden if embedding == "tied" else int(embedding)
        assert (sizes.hidden, sizes.embedding, sizes.tied) == (int(hidden), width, embedding == "tied")
        assert (f"{sizes.window} x {sizes.batch}", sizes.lr, sizes.weight_decay) == (step, float(lr), float(decay))
        assert sizes.optimizer == "muon"
        assert (replace(sizes, dropout=0) == reference_sizes(level)) == ("**" in readable)
        assert limit == 1e10 or timed_sizes(10**12, level, limit, speed=1) != sizes
        seen += 1
    assert seen == 6
