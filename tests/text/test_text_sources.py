"""Finding texts: files, folders, patterns and standard input, each in a fixed order and none twice."""

import errno
import gzip
import io
import os
import random
import sys
import threading
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

import pytest

from charlm.errors import InputError, UsageError
from charlm.text.reading import ByteReader
from charlm.text.sources import Texts, _first_wildcard, find_texts


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*names: str, data: bytes | None = None) -> None:
    """Files with their folders; each holds its name if nothing else."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode() if data is None else data)


def found(*given: str | Path, encoding: str | None = "utf-8") -> list[str]:
    """The names of the sources, as they would be written on any system."""
    return [Path(source.name).as_posix() for source in find_texts(given, encoding=encoding).sources]


def contents(texts: Texts) -> list[bytes]:
    return [b"".join(ByteReader(source)) for source in texts.sources]


def refused(*given: str, encoding: str | None = "utf-8") -> str:
    """The message with which these names are refused."""
    with pytest.raises(InputError) as error:
        find_texts(given, encoding=encoding)
    return str(error.value)


def link(name: str, target: str) -> None:
    """A symbolic link, where there are such."""
    try:
        Path(name).symlink_to(target, target_is_directory=Path(name).parent.joinpath(target).is_dir())
    except (OSError, NotImplementedError):
        pytest.skip("needs symbolic links")


def pipe(name: str) -> None:
    """A named pipe, where there are such."""
    if sys.platform == "win32":
        pytest.skip("needs named pipes")
    os.mkfifo(name)


def test_several_files_keep_their_order() -> None:
    write("b.txt", "a.txt", "c.txt")
    texts = find_texts(["b.txt", Path("c.txt"), "a.txt"])
    assert contents(texts) == [b"b.txt", b"c.txt", b"a.txt"]
    assert texts.given == ("b.txt", "c.txt", "a.txt")
    assert (texts.stem, texts.rereadable) == (None, True)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["a"], "a"),
        (["a", "b"], "a, b (2 files)"),
        (["a", "texts", "b"], "a, ..., b (4 files)"),
        (["a", "b", "texts", "-"], "a, ..., standard input (5 files)"),
        (["-"], "standard input"),
        (["-", "a"], "standard input, a (2 files)"),
        (["texts"], "texts (2 files)"),
        (["texts/*"], "texts/* (2 files)"),
        (["texts/c*"], str(Path("texts/c"))),
    ],
)
def test_the_name_for_messages(given: list[str], name: str) -> None:
    write("a", "b", "texts/c", "texts/d")
    assert find_texts(given).name == name


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("names.txt", "names"),
        ("names", "names"),
        ("names.txt.gz", "names"),
        ("names.txt.BZ2", "names"),
        ("my.names.txt.xz", "my.names"),
        ("texts/names.text", "names"),
        (".names", ".names"),
        (".gz", ".gz"),
    ],
)
def test_a_run_is_named_after_its_file(file: str, stem: str) -> None:
    write(file)
    assert find_texts([file]).stem == stem


def test_a_run_is_named_after_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("some.texts/b/a.txt")
    assert find_texts(["some.texts"]).stem == "some.texts"
    assert find_texts([f"some.texts{os.sep}"]).stem == "some.texts"
    assert find_texts(["some.texts/b/.."]).stem == "some.texts"
    assert find_texts(["some.texts", "some.texts/b/a.txt"]).stem is None
    assert find_texts(["some.texts/b/*"]).stem is None
    monkeypatch.chdir("some.texts")
    assert find_texts(["."]).stem == "some.texts"
    assert find_texts([".."]).stem == tmp_path.name


def test_a_folder_in_the_order_of_code_points() -> None:
    names = ["B.txt", "a-b.txt", "a.txt", "a/b.txt", "a/b/c.txt", "z", "\N{LATIN SMALL LETTER A WITH DIAERESIS}.txt"]
    paths = [f"texts/{name}" for name in names]
    shuffled = random.Random(3).sample(paths, len(paths))  # noqa: S311 - no secret
    write(*(path for path in shuffled if path != "texts/a/b/c.txt"))
    write("texts/a/c/d")
    paths[4] = "texts/a/c/d"
    assert found("texts") == paths == sorted(paths)
    assert found(".") == paths
    assert contents(find_texts(["texts"])) == [path.encode() for path in paths]


def test_hidden_files_and_folders_are_left_out() -> None:
    write("texts/a", "texts/.b", "texts/.git/c", "texts/d/.e/f", "texts/d/g")
    texts = find_texts(["texts"])
    assert [Path(source.name).as_posix() for source in texts.sources] == ["texts/a", "texts/d/g"]
    assert texts.skipped == ()
    assert found("texts/.b", "texts/.git") == ["texts/.b", "texts/.git/c"]


def test_empty_and_binary_files_are_left_out_and_named() -> None:
    write("texts/a", "texts/empty")
    write("texts/empty", "texts/d/empty.gz", data=b"")
    write("texts/image.png", data=b"\x89PNG\r\n\x1a\n")
    write("texts/data", data=b"a" * 5000 + b"\0")
    write("texts/packed", "texts/text.gz", data=gzip.compress(b"text"))
    write("texts/packed.tar.gz", data=gzip.compress(b"\0" * 1024))
    skipped = ("texts/d/empty.gz", "texts/data", "texts/empty", "texts/image.png", "texts/packed")
    for given in ("texts", "texts/**"):
        texts = find_texts([given])
        assert [Path(source.name).as_posix() for source in texts.sources] == ["texts/a", "texts/text.gz"]
        assert tuple(Path(path).as_posix() for path in texts.skipped) == (*skipped, "texts/packed.tar.gz")
    assert len(find_texts(["texts", "texts/*.gz", "texts/a"]).skipped) == 6


def test_what_is_left_out_depends_on_the_encoding() -> None:
    write("texts/bytes", data=b"\0\xff")
    write("texts/wide", data="text".encode("utf-16"))
    write("texts/narrow", "texts/none", data=b"")
    write("texts/narrow", data=b"text")
    assert found("texts", encoding=None) == ["texts/bytes", "texts/narrow", "texts/wide"]
    # Bytes with a mark of another encoding are a text that is read wrongly, not something to be passed over.
    assert found("texts") == ["texts/narrow", "texts/wide"]
    assert found("texts", encoding="utf-16") == ["texts/bytes", "texts/narrow", "texts/wide"]
    with pytest.raises(UsageError, match="unknown encoding 'no-such'"):
        find_texts(["texts"], encoding="no-such")


def test_files_that_are_named_are_not_left_out() -> None:
    """That one of them is binary is for its reader to say."""
    write("data", data=b"\0")
    write("empty", data=b"")
    assert found("data", "empty") == ["data", "empty"]


def test_folders_of_trained_models_are_left_out() -> None:
    """A run writes below the folder that it reads; it must find the same texts again."""
    write("a.txt", "runs/one/model.safetensors", "runs/one/log.jsonl", "runs/b.txt")
    assert found(".") == ["a.txt", "runs/b.txt"]
    assert found("runs/one/log.jsonl") == ["runs/one/log.jsonl"]
    assert "runs/one/log.jsonl" in found("runs/one")


def test_a_file_found_twice_is_read_once() -> None:
    write("texts/a", "texts/b", "texts/c/d")
    assert found("texts/b", "texts", "./texts/c", "texts/a", "texts/*") == ["texts/b", "texts/a", "texts/c/d"]
    link("other", "texts/a")
    assert len(found("texts/a", "other", "texts/a")) == 1
    assert found("other") == ["other"]


def test_links_are_followed_but_not_for_ever() -> None:
    write("elsewhere/a", "texts/b/c", "texts/d")
    link("texts/elsewhere", "../elsewhere")
    link("elsewhere/back", "../texts")
    link("texts/b/up", "..")
    link("texts/round", "round")
    link("texts/gone", "nowhere")
    link("texts/link", "d")
    assert found("texts") == ["texts/b/c", "texts/d", "texts/elsewhere/a"]
    assert found("texts/b/up/link", "texts") == ["texts/b/up/link", "texts/b/c", "texts/elsewhere/a"]
    assert refused("texts/gone") == f"no such file: {Path('texts/gone')}"


def test_of_links_to_one_folder_the_first_is_followed() -> None:
    """The first by its name, not the first that the system lists."""
    write("folder/a", "texts/b")
    for number in random.Random(4).sample(range(10, 40), 30):  # noqa: S311 - no secret
        link(f"texts/{number}", "../folder")
    assert found("texts") == ["texts/10/a", "texts/b"]


def test_pipes_in_a_folder_are_no_texts() -> None:
    write("texts/a")
    pipe("texts/b")
    assert found("texts") == ["texts/a"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[b-z].txt", ["b.txt"]),
        ("*/*.txt", ["texts/c.txt"]),
        ("texts/*", ["texts/c.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "texts/c.txt", "texts/d/e.txt"]),
        ("texts/**", ["texts/c.txt", "texts/d/e.txt"]),
        ("texts/**/e.*", ["texts/d/e.txt"]),
        ("texts/d/../*", ["texts/d/../c.txt"]),
        ("t?xts/d/../*", ["texts/d/../c.txt"]),
        (".*", [".hidden.txt"]),
        (".hidden/*", [".hidden/f.txt"]),
        (".hid*/.[g]*", [".hidden/.g.txt"]),
    ],
)
def test_patterns(pattern: str, names: list[str]) -> None:
    write("b.txt", "a.txt", "texts/c.txt", "texts/d/e.txt", ".hidden.txt", ".hidden/f.txt", ".hidden/.g.txt")
    assert found(pattern) == names


def test_a_pattern_from_the_root(tmp_path: Path) -> None:
    write("texts/a", "texts/b")
    assert found(str(tmp_path / "te*" / "b")) == [(tmp_path / "texts/b").as_posix()]


def test_a_pattern_is_no_part_of_the_root() -> None:
    assert _first_wildcard(PureWindowsPath(r"\\?\C:\texts\a.txt")) is None
    assert _first_wildcard(PureWindowsPath(r"\\?\C:\texts\*.txt")) == 2


def test_a_file_whose_name_is_a_pattern() -> None:
    write("a[1].txt", "a1.txt")
    assert found("a[1].txt") == ["a[1].txt"]


def test_standard_input_is_opened_when_it_is_read() -> None:
    opened = []

    def given_input() -> BinaryIO:
        opened.append(io.BytesIO(b"text"))
        return opened[-1]

    write("a")
    texts = find_texts(["-", "a"], standard_input=given_input)
    assert not opened
    assert contents(texts) == [b"text", b"a"]
    assert opened[0].closed
    with pytest.raises(InputError, match="standard input was read already, and can be read only once"):
        contents(find_texts(["-"], standard_input=lambda: opened[0]))
    assert (texts.given, texts.stem, texts.rereadable) == (("-", "a"), None, False)
    assert find_texts(["-"]).stem is None


def test_standard_input_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = find_texts(["-"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text")))
    assert contents(texts) == [b"text"]


def test_a_named_pipe_is_read_once() -> None:
    pipe("pipe.txt")
    texts = find_texts(["pipe.txt"])
    threading.Thread(target=Path("pipe.txt").write_bytes, args=(b"text",), daemon=True).start()
    assert (texts.stem, texts.rereadable) == (None, False)
    assert contents(texts) == [b"text"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "name a text: a file, a folder, a pattern such as 'texts/*.txt', or - for standard input"),
        (["-", "a", "-"], "standard input (-) is named twice, but it can be read only once"),
    ],
)
def test_wrong_use(given: Sequence[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        find_texts(given)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.txt", "no such file: missing.txt"),
        ("", "no such file: its name is empty"),
        ("x" * 5000, "cannot be read: "),
        ("a\0b", "cannot be read: "),
        ("*.md", "no text matches *.md: there is no file, hidden ones apart"),
        ("texts/*.bin", "no text matches texts/*.bin: the only file is empty or binary; name a text file, or "),
        ("texts", "texts is a directory without any text: the 2 files are empty or binary; name a text file, or train"),
        ("none", "none is a directory without any text: there is no file, hidden ones apart"),
        ("none/*", "no text matches none/*: there is no file, hidden ones apart"),
    ],
)
def test_there_is_no_text(name: str, message: str) -> None:
    write("texts/a.bin", data=b"\0")
    write("texts/b", "none/.hidden", data=b"")
    write("a.txt")
    assert message in refused("a.txt", name)


def test_there_are_no_bytes() -> None:
    write("texts/a", "texts/b/c", data=b"")
    assert refused("texts", encoding=None) == "texts is a directory without any text: the 2 files are empty"


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="a pattern like any other from here on")
def test_a_pattern_that_is_none() -> None:
    assert refused("a**b").startswith("no text matches a**b: Invalid pattern: ")


def test_a_damaged_file_in_a_folder_is_not_passed_over() -> None:
    write("texts/a.gz", data=gzip.compress(b"text")[:-1])
    write("texts/b")
    assert refused("texts").startswith(f"{Path('texts/a.gz')} ends too early")


def test_a_folder_that_cannot_be_listed_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: str) -> object:
        if Path(path).name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    write("texts/a", "texts/b/c")
    listed = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    assert refused("texts") == f"{Path('texts/b')} cannot be listed: Permission denied"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_not_passed_over() -> None:
    write("texts/a", "texts/b")
    Path("texts/b").chmod(0)
    assert refused("texts") == f"{Path('texts/b')} cannot be read: permission denied"
