"""What several files cost, each of them and all together."""

from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, names_text, prose_text, succeed


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two texts, and between them one with blank lines at its ends."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"a.txt": names_text(40), "b.txt": f"\n\n{names_text(7)}\n\n", "c.txt": prose_text(30)}.items():
        Path(name).write_text(text)
    return ["a.txt", "b.txt", "c.txt"]


@pytest.mark.parametrize("model", ["names", "prose"])
def test_the_costs_of_the_files_add_up_to_that_of_all(
    model: str, texts: list[str], request: pytest.FixtureRequest
) -> None:
    """For lines of their own as for a stream."""
    trained: Trained = request.getfixturevalue(model)
    found = succeed("eval", *texts, "--model", trained.folder, "--json").json
    assert [each["file"] for each in found["files"]] == texts
    assert sum(each["tokens"] for each in found["files"]) == found["tokens"]
    total = sum(each["nats"] for each in found["files"])
    assert total == pytest.approx(found["nats_per_token"] * found["tokens"], rel=1e-12)


def test_where_lines_are_texts_of_their_own_a_file_costs_what_it_costs_alone(texts: list[str], names: Trained) -> None:
    found = succeed("eval", *texts, "--model", names.folder, "--json").json
    for each in found["files"]:
        alone = succeed("eval", each["file"], "--model", names.folder, "--json").json
        assert each["tokens"] == alone["tokens"]
        assert each["nats"] == pytest.approx(alone["nats_per_token"] * alone["tokens"], rel=1e-6)


def test_several_files_that_validate_are_told_apart(texts: list[str], tmp_path: Path) -> None:
    """In the evaluation of what a model was validated with, which is the run's own figure."""
    (tmp_path / "valid").mkdir()
    for name in texts:
        Path(name).rename(tmp_path / "valid" / name)
    Path("train.txt").write_text(names_text(90))
    succeed("train", "train.txt", "--valid", "valid", "--model", "model", *QUICK, "--steps", 9)
    found = succeed("eval", "--model", "model", "--json").json
    assert [Path(each["file"]).name for each in found["files"]] == texts
    assert sum(each["nats"] for each in found["files"]) == pytest.approx(found["nats_per_token"] * found["tokens"])
    record = succeed("info", "--model", "model", "--json").json["record"]
    assert found["nats_per_token"] == pytest.approx(record["valid_nats_per_token"], rel=1e-6)


def test_the_files_stand_below_the_whole(texts: list[str], names: Trained) -> None:
    Path("empty.txt").touch()
    said = succeed("eval", *texts, "empty.txt", "--model", names.folder).out.decode()
    lines = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert [line.split(":")[0] for line in lines] == [*texts, "empty.txt"]
    assert all("nats a token of" in line for line in lines[:3])
    assert lines[3].endswith("no text")
    assert "nats a token of" not in succeed("eval", texts[0], "--model", names.folder).out.decode()
