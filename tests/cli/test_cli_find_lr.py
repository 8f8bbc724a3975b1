"""``--find-lr``: it tries rates and writes nothing."""

from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, contents, names_text, one_message, succeed
from tag_cases import TAGGER, write_columns
from test_cli_failures import Failing

import charlm


@pytest.fixture(autouse=True)
def names_txt() -> str:
    """A list, where the commands run."""
    Path("names.txt").write_text(names_text())
    return "names.txt"


def test_it_suggests_a_rate_and_writes_nothing(names_txt: str) -> None:
    """As JSON, and as a page with a table, a chart and the suggestion."""
    found = succeed("train", names_txt, *QUICK, "--find-lr", "--json").json
    assert found["suggestion"] == pytest.approx(0.1 * found["lowest"])
    assert 1e-4 < found["suggestion"] < 0.5
    rates = [trial["lr"] for trial in found["trials"]]
    assert rates == sorted(rates)
    assert found["lowest"] in rates
    assert found["steepest"] in rates
    page = succeed("train", names_txt, *QUICK, "--find-lr").out.decode()
    lines = page.splitlines()
    assert f"suggestion: --lr {found['suggestion']:.2g}" in lines
    assert lines[0] == "learning rate    loss  smoothed"
    assert len(lines[1].split()) == 3
    assert "* smoothed loss" in page
    assert [path.name for path in Path().iterdir()] == [names_txt]


def test_a_plot_is_written(names_txt: str) -> None:
    """It is all that is, and another seed has another curve."""
    pytest.importorskip("matplotlib")
    searches = [
        succeed("train", names_txt, *QUICK, "--find-lr", "--plot", f"{seed}.svg", "--seed", seed, "--json").json
        for seed in (1, 2)
    ]
    assert searches[0] != searches[1]
    assert Path("1.svg").read_bytes().startswith(b"<?xml")
    assert sorted(path.name for path in Path().iterdir()) == ["1.svg", "2.svg", names_txt]


def test_a_run_that_is_there_already_is_left_alone(names: Trained) -> None:
    before = contents(names.folder)
    succeed("train", names.corpus, "--model", names.folder, *QUICK, "--find-lr")
    assert contents(names.folder) == before


def test_options_may_stand_in_a_file(names: Trained) -> None:
    assert succeed("train", "--config", names.folder / "config.toml", "--find-lr", "--json", "--quiet").json


def test_taggers_have_it_too() -> None:
    write_columns(Path("names.conll"))
    assert succeed("tag", "train", "names.conll", *TAGGER, "--find-lr", "--json").json["suggestion"] > 0
    assert sorted(path.name for path in Path().iterdir()) == ["names.conll", "names.txt"]


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        ("names.txt --find-lr --dry-run", ("--find-lr writes no model", "--dry-run")),
        ("names.txt --find-lr --stop-at 3", ("--stop-at",)),
        ("names.txt --find-lr --overwrite", ("--overwrite",)),
        ("--resume --find-lr", ("--resume", "leave out --find-lr")),
        ("--replay x --find-lr", ("--replay", "leave out --find-lr")),
        ("names.txt --json", ("--json goes with --find-lr",)),
        ("names.txt --plot x.svg", ("--plot goes with --find-lr",)),
        ("names.txt --find-lr --plot x.pdf", ("x.pdf", ".svg")),
        ("--find-lr", ("name a text",)),
    ],
)
def test_what_does_not_go_with_it(options: str, mentioned: tuple[str, ...]) -> None:
    one_message(call("train", *options.split()), 2, *mentioned)
    assert [path.name for path in Path().iterdir()] == ["names.txt"]


def test_a_loss_that_is_never_finite(names_txt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Failing(monkeypatch, set(range(1000)))
    one_message(call("train", names_txt, *QUICK, "--find-lr"), 6, "not finite", "--clip")


def test_from_python(names_txt: str) -> None:
    """The same figures as the command."""
    said = succeed("train", names_txt, *QUICK, "--find-lr", "--json").json
    found = charlm.find_lr(names_txt, hidden=16, embedding=8, window=16, batch=4)
    assert (found.suggestion, found.lowest, found.steepest) == (said["suggestion"], said["lowest"], said["steepest"])
    assert [path.name for path in Path().iterdir()] == [names_txt]
