"""What a corpus may be: several files, folders, patterns, standard input, compressed or not."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from cli_cases import QUICK, call, names_text, one_message, process, prose_text, succeed

from charlm.checkpoint import load_model
from charlm.training.choices import SPEED

STEPS = ("--steps", 3)


def split_names(folder: Path) -> list[Path]:
    """The same names in three files."""
    lines = names_text().splitlines(keepends=True)
    folder.mkdir()
    paths = []
    for number in range(3):
        path = folder / f"{number}.txt"
        path.write_text("".join(lines[number * 50 : number * 50 + 50]), encoding="utf-8")
        paths.append(path)
    return paths


def weights(folder: str) -> bytes:
    return b"".join(view.tobytes() for view in load_model(Path(folder)).network.parameters.views.values())


def test_the_same_text_is_the_same_model_wherever_it_comes_from() -> None:
    """In pieces, a folder, a pattern, through a pipe, compressed: always the same weights."""
    paths = split_names(Path("texts"))
    Path("whole.txt").write_text(names_text(), encoding="utf-8")
    Path("whole.gz").write_bytes(gzip.compress(names_text().encode()))
    Path("whole.bz2").write_bytes(bz2.compress(names_text().encode()))
    Path("whole.xz").write_bytes(lzma.compress(names_text().encode()))
    succeed("train", "whole.txt", "--model", "m0", *QUICK, *STEPS)
    ways: list[list[object]] = [list(paths), ["texts"], ["texts/*.txt"], ["whole.gz"], ["whole.bz2"], ["whole.xz"]]
    for number, way in enumerate(ways, start=1):
        succeed("train", *way, "--model", f"m{number}", *QUICK, *STEPS)
        assert weights(f"m{number}") == weights("m0"), way
    succeed("train", "-", "--model", "piped", *QUICK, *STEPS, stdin=names_text().encode())
    assert weights("piped") == weights("m0")


def test_default_folders() -> None:
    split_names(Path("texts"))
    Path("names.txt.gz").write_bytes(gzip.compress(names_text().encode()))
    succeed("train", "texts", *QUICK, *STEPS)
    succeed("train", "names.txt.gz", *QUICK, *STEPS)
    assert sorted(path.name for path in Path("runs").iterdir()) == ["names", "texts"]
    for several in (["texts/0.txt", "texts/1.txt"], ["texts/*.txt"], ["-"]):
        one_message(call("train", *several, *QUICK, *STEPS, stdin=b"abc\n" * 99), 2, "--model FOLDER")


def test_what_is_left_out_is_said() -> None:
    split_names(Path("texts"))
    Path("texts/picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    Path("texts/empty.txt").touch()
    ended = succeed("train", "texts", *QUICK, *STEPS)
    assert "2 files left out, binary or empty: " in ended.err
    assert "picture.png" in ended.err


def test_evaluating_and_resuming_find_the_texts_again() -> None:
    paths = split_names(Path("texts"))
    succeed("train", "texts", *QUICK, *STEPS)
    best = load_model(Path("runs/texts")).record["valid_nats_per_token"]
    assert succeed("eval", "--json").json["nats_per_token"] == best
    assert "nothing to continue" in succeed("train", "--resume", "--model", "runs/texts").err
    paths[1].write_text("changed\n", encoding="utf-8")
    one_message(call("train", "--resume", "--model", "runs/texts", "--quiet"), 3, "texts", "changed")


def test_a_pipe_cannot_be_read_again() -> None:
    data = names_text().encode()
    succeed("train", "-", "--model", "m", *QUICK, *STEPS, stdin=data)
    one_message(call("eval", "--model", "m"), 3, "charlm eval FILE")
    one_message(call("train", "--resume", "--model", "m"), 3, "name the text once more")
    assert "nothing to continue" in succeed("train", "-", "--resume", "--model", "m", stdin=data).err
    assert succeed("eval", "-", "--model", "m", "--json", stdin=data).json["tokens"] > 100


def test_standard_input_in_a_process_of_its_own(tmp_path: Path) -> None:
    ended = process("train", "-", "--model", tmp_path / "m", *QUICK, *STEPS, input=names_text().encode(), cwd=tmp_path)
    assert ended.status == 0, ended.err


def test_a_validation_folder() -> None:
    Path("book.txt").write_text(prose_text(), encoding="utf-8")
    split_names(Path("valid"))
    succeed("train", "book.txt", "--valid", "valid", *QUICK, *STEPS)
    assert load_model(Path("runs/book")).record["corpus"]["valid_paths"] == ["valid"]
    assert "valid (3 files)" in succeed("eval").err


@pytest.mark.parametrize(
    ("data", "name", "mentioned"),
    [
        (b"\x7fELF" + bytes(60), "program", "binary"),
        (b"", "nothing.txt", "empty"),
        (b"no gzip at all", "text.gz", "gzip"),
        (gzip.compress(b"abc" * 999)[:-9], "cut.gz", "cut.gz"),
    ],
    ids=["program", "empty", "no gzip", "cut gzip"],  # the bytes of a gzip file hold the time it was made
)
def test_what_is_no_text_is_named(data: bytes, name: str, mentioned: str) -> None:
    Path(name).write_bytes(data)
    one_message(call("train", name, *QUICK, *STEPS), 3, name, mentioned)
    assert not Path("runs").exists()


def test_a_folder_without_text_is_named() -> None:
    Path("folder").mkdir()
    one_message(call("train", "folder"), 3, "folder", "without any text")
    one_message(call("train", "folder/*.txt"), 3, "folder/*.txt")


def test_what_was_chosen_is_said_in_one_line() -> None:
    """Typed in, it gives the same model."""
    Path("names.txt").write_text(names_text(), encoding="utf-8")
    bare = call("train", "names.txt", "--model", "bare")
    line = next(line for line in bare.err.splitlines() if "chosen for" in line)
    options = line.split(": ", 2)[2].split()
    assert {"--level", "--hidden", "--epochs", "--batch", "--window", "--lr"} <= set(options)
    succeed("train", "names.txt", "--model", "spelt", *options, "-q")
    assert weights("spelt") == weights("bare")
    some = succeed("train", "names.txt", "--model", "some", *QUICK[:-1], *STEPS).err
    assert "--hidden" not in next(line for line in some.splitlines() if "chosen for" in line)


def test_the_speed_that_a_run_is_planned_by_is_said() -> None:
    Path("names.txt").write_text(names_text(), encoding="utf-8")
    said = succeed("train", "names.txt", "--model", "timed", "--hidden", 8, "--time", "1s").err
    speed = load_model(Path("timed")).record[SPEED]
    assert f"planned by time: this machine reads {speed:,.0f} tokens a second" in said
    assert "planned by time" not in succeed("train", "names.txt", "--model", "counted", *QUICK, *STEPS).err


def test_tokenised_text_is_recognised() -> None:
    Path("tokens.txt").write_text(prose_text().replace("river", "<unk>").replace(".", " ."), encoding="utf-8")
    ended = call("train", "tokens.txt", *QUICK[:-1], *STEPS)
    assert "--level token" in ended.err
    model = load_model(Path("runs/tokens"))
    assert model.text.level == "token"
    assert model.tokenizer.vocabulary.counts[1] > 0
