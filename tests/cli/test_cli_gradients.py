"""``charlm gradients``: the table, the chart, the plot, and what it is measured on."""

from pathlib import Path

import pytest
from cli_cases import Trained, call, one_message, prose_text, succeed


def test_table_and_json_say_the_same(prose: Trained) -> None:
    text = "the river was slow\nand the engine old\n"
    table = succeed("gradients", text, "--model", prose.folder, "--lags", 8).out.decode()
    found = succeed("gradients", text, "--model", prose.folder, "--lags", 8, "--json").json
    assert found["lags"] == list(range(1, 9))
    assert f"over {found['positions']} positions" in table.splitlines()[0]
    rows = [line.split() for line in table.splitlines()[3:11]]
    for row, lag in zip(rows, found["lags"], strict=True):
        assert int(row[0]) == lag
        norms = [each["norms"][lag - 1] for each in found["gradients"]]
        assert [float(value) for value in row[1:]] == pytest.approx(norms, rel=1e-3)
    assert [(each["layer"], each["part"]) for each in found["gradients"]] == [
        (layer, part) for layer in (1, 2) for part in ("hidden", "cell")
    ]
    assert "* layer 1 hidden" in table
    assert "layer 1 cell: " in table


def test_own_validation_part_and_files(prose: Trained) -> None:
    own = succeed("gradients", "--model", prose.folder, "--lags", 3, "--json")
    assert "measuring on the validation part" in own.err
    Path("other.txt").write_text(prose_text(8), encoding="utf-8")
    other = succeed("gradients", "--file", "other.txt", "--model", prose.folder, "--lags", 3, "--json")
    assert other.json["gradients"] != own.json["gradients"]


def test_independent_lines_end_the_lags(names: Trained) -> None:
    ended = succeed("gradients", "--model", names.folder, "--lags", 500, "--json")
    assert len(ended.json["lags"]) < 40
    assert f"going back {len(ended.json['lags'])} steps" in ended.err


def test_a_file_named_as_a_text_is_remarked_on(prose: Trained) -> None:
    Path("other.txt").write_text(prose_text(8), encoding="utf-8")
    assert "--file other.txt" in succeed("gradients", "other.txt", "--model", prose.folder, "--lags", 3).err


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_plot(kind: str, prose: Trained) -> None:
    """Written beside the table, and the same figures give the same bytes."""
    plots = [Path(f"{name}.{kind}") for name in "ab"]
    for plot in plots:
        ended = succeed("gradients", "a river", "--model", prose.folder, "--plot", plot)
        assert f"wrote {plot}" in ended.err
        assert ended.out
    first, second = (plot.read_bytes() for plot in plots)
    assert first == second
    assert first.startswith(b"<?xml" if kind == "svg" else b"\x89PNG")


def test_wrong_usage(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ("--model", prose.folder)
    one_message(call("gradients", "x", "--file", "y", *here), 2, "--file", "not both")
    one_message(call("gradients", "x", "--lags", 0, *here), 2, "--lags")
    one_message(call("gradients", "x", "--positions", 0, *here), 2, "--positions")
    one_message(call("gradients", "x", "--plot", "x.pdf", *here), 2, ".svg or .png")
    one_message(call("gradients", "x", "--plot", "nowhere/x.svg", *here), 5, "nowhere", "--plot")
    one_message(call("gradients", "", *here), 3, "too short")
    one_message(call("gradients", "--file", "nowhere.txt", *here), 3, "nowhere.txt")
    monkeypatch.setattr("charlm.plots.find_spec", lambda _: None)
    one_message(call("gradients", "x", "--plot", "x.svg", *here), 2, "pip install 'charlm[plot]'")
    assert not Path("x.svg").exists()
