"""Charts and tables in the terminal, and curves in files."""

import math
from pathlib import Path

import pytest

from charlm.cli.chart import HEIGHT, LIGHT_MARKS, MARGIN, MARKS, WIDTH, chart
from charlm.cli.table import Column, shortened, table
from charlm.curves import Curve
from charlm.plots import write_curves


def drawn(*curves: Curve, log: bool = False, width: int = WIDTH) -> list[str]:
    """What stands right of the axis, row by row."""
    lines = list(chart(curves, log=log, width=width))[:HEIGHT]
    assert all(line[MARGIN - 2 :].startswith(" |") for line in lines)
    return [line[MARGIN:].ljust(width) for line in lines]


def places(rows: list[str], mark: str) -> dict[int, list[int]]:
    """The rows of a mark by column."""
    columns = range(len(rows[0]))
    found = {column: [row for row in range(HEIGHT) if rows[row][column] == mark] for column in columns}
    return {column: rows for column, rows in found.items() if rows}


def test_powers_of_ten_fall_evenly() -> None:
    down = Curve.counted("down", [10.0**-k for k in range(9)])
    assert places(drawn(down, log=True, width=9), "*") == {k: [round(15 * k / 8)] for k in range(9)}
    lines = list(chart([down], log=True, width=9))
    assert lines[0].startswith("  1e+00 |*")
    assert lines[HEIGHT - 1].startswith("  1e-08 |        *")
    assert lines[HEIGHT + 1].split() == ["1", "9"]
    assert lines[-1].endswith("* down")


def test_a_logarithmic_chart_of_little_and_of_much() -> None:
    assert list(chart([Curve.counted("none", [0.0, math.inf])], log=True)) == ["(nothing to draw)"]
    assert any("*" in line for line in chart([Curve.counted("one", [1.0])], log=True))
    curves = [Curve.counted("a", [1e-300 * k for k in range(1000)]), Curve.counted("b", [1e300] * 1000)]
    wide = list(chart(curves, log=True))
    assert max(len(line) for line in wide[: HEIGHT + 2]) <= WIDTH + MARGIN
    assert any("o" in line for line in wide)


def test_a_linear_axis_has_round_numbers_at_their_heights() -> None:
    lines = list(chart([Curve("loss", [0, 10], [3.1, 1.2])]))
    labelled = {float(line[: MARGIN - 2]): row for row, line in enumerate(lines[:HEIGHT]) if line[: MARGIN - 2].strip()}
    assert labelled == {3.5: 0, 3.0: 3, 2.5: 6, 2.0: 9, 1.5: 12, 1.0: 15}
    rows = drawn(Curve("loss", [0, 10], [3.1, 1.2]))
    assert places(rows, "*")[0] == [round((3.5 - 3.1) / 2.5 * 15)]
    assert places(rows, "*")[WIDTH - 1] == [round((3.5 - 1.2) / 2.5 * 15)]


def test_places_are_real_numbers() -> None:
    """A point stands where its place is, not where its number is; the ends of the axis are said."""
    curve = Curve("late", [0.25, 0.5, 10.25], [1.0, 5.0, 1.0])
    rows = drawn(curve, width=41)
    top = min(row for found in places(rows, "*").values() for row in found)
    assert min(column for column, found in places(rows, "*").items() if top in found) == 1
    bottom = list(chart([curve], across="seconds", width=41))[HEIGHT + 1]
    assert bottom.split() == ["0.25", "seconds", "10.2"]
    assert len(bottom) == 41 + MARGIN


def test_a_line_has_no_gaps_from_left_to_right() -> None:
    rows = drawn(Curve("few", [1, 5, 9], [1.0, 2.0, 1.0]))
    assert sorted(places(rows, "*")) == list(range(WIDTH))


def test_every_point_is_drawn_where_several_share_a_column() -> None:
    rows = drawn(Curve("dense", [0, 1, 2, 3, 1000], [5.0, 1.0, 3.0, 5.0, 5.0]), width=10)
    assert {0, HEIGHT - 1} <= set(places(rows, "*")[0])


def test_curves_of_different_lengths_share_the_axis() -> None:
    rows = drawn(Curve("short", [0, 50], [2.0, 2.0]), Curve("long", [0, 100], [1.0, 1.0]), width=101)
    assert sorted(places(rows, "*")) == list(range(51))
    assert sorted(places(rows, "o")) == list(range(101))


def test_a_curve_may_turn_back() -> None:
    rows = drawn(Curve("rolled back", [0, 60, 30, 100], [4.0, 1.0, 3.0, 2.0]))
    assert sorted(places(rows, "*")) == list(range(WIDTH))


@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_parts_its_curve(hole: float) -> None:
    rows = drawn(Curve("parted", [0, 1, 2, 3, 4], [1.0, 1.0, hole, 1.0, 1.0]), width=41)
    assert sorted(places(rows, "*")) == [*range(11), *range(30, 41)]


def test_zero_parts_a_curve_only_on_a_logarithmic_axis() -> None:
    curve = Curve("touching", [0, 1, 2, 3, 4], [1.0, 1.0, 0.0, 1.0, 1.0])
    assert len(places(drawn(curve, width=41), "*")) == 41
    assert len(places(drawn(curve, width=41, log=True), "*")) == 22


def test_the_first_curve_lies_over_the_others_and_light_ones_under_all() -> None:
    flat = [0, 1], [2.0, 2.0]
    one, other, light = Curve("one", *flat), Curve("other", *flat), Curve("light", *flat, light=True)
    assert set("".join(drawn(one, other))) == {" ", "*"}
    assert set("".join(drawn(one, light, other))) == {" ", "*"}
    assert set("".join(drawn(Curve("elsewhere", [0, 1], [1.0, 1.0]), light, other))) == {" ", "*", "o"}


def test_the_legend_has_a_line_for_a_curve_and_its_companion() -> None:
    curves = [
        Curve(f"{name}{kind}", [0, 1], [k, k + light], light=light)
        for k, name in enumerate("abc")
        for light, kind in ((False, ""), (True, " light"))
    ]
    lines = [line.strip() for line in chart(curves)][HEIGHT + 2 :]
    assert lines == ["* a   . a light", "o b   , b light", "+ c   : c light"]
    assert len(MARKS) == len(LIGHT_MARKS) == len({*MARKS, *LIGHT_MARKS}) / 2


@pytest.mark.parametrize(
    "values", [[0.0], [2.0], [-3.0], [1e-300], [1e99, 1e100], [1.0, 1.0 + 1e-15], [-5.0, 1e9], [5e-324, 0.0]]
)
def test_any_values_fit(values: list[float]) -> None:
    lines = list(chart([Curve.counted("any", values)]))
    assert sum("*" in line for line in lines) >= 2
    assert max(map(len, lines)) <= WIDTH + MARGIN


def test_nothing_to_draw() -> None:
    assert list(chart([Curve("none", [], []), Curve("nan", [1], [math.nan])])) == ["(nothing to draw)"]


COLUMNS = [Column("number", ["1", "22"]), Column("word", ["a", "bcd"], left=True)]


def test_a_table_that_fits_is_one() -> None:
    lines = list(table(Column("row", ["x", "yy"], left=True), [COLUMNS, COLUMNS[:1]], 27))
    assert lines == [
        "row  number  word  number",
        "x         1  a          1",
        "yy       22  bcd       22",
    ]


def test_a_table_that_does_not_fit_is_one_a_group() -> None:
    assert list(table(Column("row", ["x", "yy"], left=True), [COLUMNS[:1], COLUMNS], 24)) == [
        "row  number",
        "x         1",
        "yy       22",
        "",
        "row  number  word",
        "x         1  a",
        "yy       22  bcd",
    ]


@pytest.mark.parametrize("width", range(1, 40))
def test_a_table_is_no_wider_than_it_may_be(width: int) -> None:
    lines = list(table(Column("row", ["x", "yy"], left=True), [COLUMNS, COLUMNS], width))
    assert max(map(len, lines)) <= max(width, len("row  number"))
    assert sum(line.count("bcd") for line in lines) == 2


def test_texts_are_shortened_to_fit() -> None:
    assert shortened("short", 5, end=2) == "short"
    assert shortened("experiment-4-seed-1", 12, end=4) == "exper...ed-1"
    assert shortened("lstm 1 x 256, tied", 12, end=0) == "lstm 1 x ..."
    assert shortened("a\nb\x1b[1m\udc80", 20, end=2) == "a.b.[1m."


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_plot_has_the_places_of_its_curves(kind: str, tmp_path: Path) -> None:
    """The same curves are the same bytes; other places, other heights and lightness are others."""
    made = {
        name: Curve("curve", across, up, light=light)
        for name, across, up, light in (
            ("one", [0.5, 2.5], [1.0, 2.0], False),
            ("again", [0.5, 2.5], [1.0, 2.0], False),
            ("places", [0.5, 2.0, 2.5], [1.0, 1.2, 2.0], False),
            ("heights", [0.5, 2.5], [1.0, 1.5], False),
            ("light", [0.5, 2.5], [1.0, 2.0], True),
        )
    }
    data = {}
    for name, curve in made.items():
        base = Curve("base", [0.5, 3.0], [0.5, 3.0])
        write_curves(tmp_path / f"{name}.{kind}", [base, curve], title="t", across="x", up="y", log=False)
        data[name] = (tmp_path / f"{name}.{kind}").read_bytes()
    assert data.pop("again") == data["one"]
    assert len(set(data.values())) == len(data)


def test_a_plot_takes_any_name(tmp_path: Path) -> None:
    """Warnings are errors here: neither an underscore in front, nor dollars, nor letters that the font lacks."""
    names = ["_hidden", r"a$\nonsense$b", "\u4e2d\u6587", "", "x" * 300]
    curves = [Curve(name, [1, 2], [k, k + 1.0]) for k, name in enumerate(names)]
    write_curves(tmp_path / "plot.svg", curves, title="t", across="x", up="y", log=False)
    assert b"_hidden" in (tmp_path / "plot.svg").read_bytes()
