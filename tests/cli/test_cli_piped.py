"""A dash in the place of a file's name: standard input."""

import pytest
from cli_cases import Trained, call, succeed

LINES = b"banana\nkiwi\n"
PAIRS = b"banana\tnnnbaa\nkiwi\tiikw\n"


@pytest.mark.parametrize(
    ("command", "data"),
    [
        (("score", "-m", "MODEL", "--file"), LINES),
        (("rank", "-m", "MODEL", "--alternatives"), LINES),
        (("rank", "-m", "MODEL", "--pairs"), PAIRS),
        (("which", "one=MODEL", "two=MODEL", "--lines", "--file"), LINES),
        (("which", "one=MODEL", "two=MODEL", "--labelled"), b"one\tbanana\n"),
        (("neurons", "-m", "MODEL", "--unit", "1.1", "--file"), b"kiwi"),
        (("diff", "one=MODEL", "two=MODEL", "--file"), b"kiwi"),
    ],
)
def test_a_dash_reads_what_the_file_would_be(names: Trained, command: tuple[str, ...], data: bytes) -> None:
    (names.folder.parent / "given.txt").write_bytes(data)
    words = [word.replace("MODEL", str(names.folder)) for word in command]
    of_file = succeed(*words, names.folder.parent / "given.txt")
    assert call(*words, "-", stdin=data) == of_file


def test_it_is_called_by_its_name_where_it_is_empty(names: Trained) -> None:
    for words in (("rank", "--pairs", "-"), ("score", "--file", "-")):
        assert "standard input is empty" in call(*words, "-m", names.folder).err
