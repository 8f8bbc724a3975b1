"""What taggers are given that is not right, or strange: each is named, or tagged."""

import re
from pathlib import Path

import pytest
from cli_cases import Trained, call, one_message, succeed
from tag_cases import TAGGER, column_text, sentences, write_columns

GOOD = column_text(sentences(60))


def write(name: str, data: str | bytes) -> str:
    """A file where the commands run."""
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


@pytest.mark.parametrize(
    ("data", "mentioned"),
    [
        ("", ("x.conll",)),
        ("\n\n\n", ("x.conll", "no token")),
        ("Teddy\nwas\n", ("x.conll, line 1", "'Teddy' stands alone")),
        ("Teddy\tB-PER\nwas\n", ("x.conll, line 2", "1 column")),
        ("Teddy\tB-PER\n\nwas\tx\tO\n", ("x.conll, line 3", "3 columns")),
        ("Teddy\tO\nwas\tO\n\nRose\tO\n", ("x.conll", "no label but 'O'")),
        ("Teddy\tB-PER\nwas\tO\n", ("x.conll", "too few texts")),
        (b"Teddy\tB-PER\n\xff\xfe\tO\n", ("x.conll", "not valid utf-8")),
        (b"Teddy\tB-PER\n\0\0\tO\n", ("x.conll", "binary")),
    ],
)
def test_files_that_teach_nothing(data: str | bytes, mentioned: tuple[str, ...]) -> None:
    one_message(call("tag", "train", write("x.conll", data), *TAGGER, "--steps", 1), 3, *mentioned)
    assert not Path("runs").exists()


def test_a_label_that_training_never_saw() -> None:
    """In validation, in a file to judge: with file and line, and what there is."""
    new = write("new.conll", "Rose\tB-PER\nsaid\tO\n\nParis\tB-LOC\n")
    good = write("good.conll", GOOD)
    told = ("new.conll, line 4", "'B-LOC'", "O, B-PER, I-PER")
    one_message(call("tag", "train", good, "--valid", new, *TAGGER), 3, *told)
    succeed("tag", "train", good, *TAGGER, "--steps", 1)
    one_message(call("tag", "eval", new, "--model", "runs/good"), 3, *told)


@pytest.mark.parametrize(
    ("options", "mentioned"),
    [
        (("--level", "char"), "--level"),
        (("--cell", "transformer"), "transformer"),
        (("--hidden", "0"), "--hidden"),
        (("--pooling", "max"), "--pooling"),
        (("--output", "softmin"), "softmin"),
        (("--class-weights", "LOC=2"), "LOC"),
        (("--class-weights", "O=-1"), "-1"),
        (("--valid-fraction", "2"), "--valid-fraction"),
        (("--epochs", "1", "--steps", "2"), "--steps"),
    ],
)
def test_options_that_make_no_sense(options: tuple[str, ...], mentioned: str) -> None:
    ended = call("tag", "train", write("good.conll", GOOD), *options)
    one_message(ended, 2, mentioned)


def test_what_is_no_file_and_no_sentence(tagger: Trained) -> None:
    model = ("--model", tagger.folder)
    one_message(call("tag", "apply", "missing.conll", *model), 3, "no such file: missing.conll")
    one_message(call("tag", "apply", "some/where", *model), 3, "no such file: some/where")
    one_message(call("tag", "apply", " \t", *model), 3, "no word")
    one_message(call("tag", "apply", "Rose", "--format", "xml", *model), 2, "xml", "columns, json, color")
    one_message(call("tag", "eval", "missing.conll", *model), 3, "missing.conll")
    one_message(call("tag", "train"), 2, "charlm tag train FILE")
    assert call("tag", "apply", *model, stdin=b"").out == b""
    ended = call("tag", "nothing")
    assert ended.status == 2


def test_a_file_that_goes_wrong_is_tagged_as_far_as_it_goes(tagger: Trained) -> None:
    """In the middle of a stream the message comes behind what was answered before it."""
    good = "Rose\nsaid\n\n" * 20_000
    ended = call("tag", "apply", write("long.conll", good + "Rose\tB-PER\n"), "--model", tagger.folder)
    one_message(ended, 3, "long.conll, line 60001", "2 columns")
    assert ended.out.startswith(b"Rose\tB-PER\nsaid\tO\n\n")


@pytest.mark.parametrize(
    "word",
    [
        "\u0645\u0631\u062d\u0628\u0627",
        "\U0001f469\u200d\U0001f680",
        "\u202eevil",
        "\u4e16\u754c",
        "<UNK>",
        "\uffed",
        "\x7f",
        "\u0301",
        "&",
        "a" * 300,
    ],
)
def test_strange_words_are_tagged(word: str, tagger: Trained) -> None:
    """In columns they stay what they are; typed, they are cut as the word level cuts them."""
    columns = succeed("tag", "apply", write("x.conll", f"{word}\nsaid\n"), "--model", tagger.folder)
    assert columns.out.decode().split("\n")[0].split("\t")[0] == word
    found = succeed("tag", "apply", f"{word} said", "--format", "json", "--model", tagger.folder).json
    assert "".join(found["tokens"]) == f"{word}said"
    succeed("tag", "apply", f"{word} said", "--format", "color", "--model", tagger.folder)


def test_a_long_line_a_long_sentence_and_nul_bytes(tagger: Trained) -> None:
    model = ("--model", tagger.folder)
    long = write("long.txt", "Rose said " * 100_000)
    assert succeed("tag", "apply", "--text", long, *model).out.count(b"\n") == 200_001
    one = write("one.conll", "x" * 1_000_000 + "\nsaid\n")
    assert succeed("tag", "apply", one, *model).out.splitlines()[1] == b"said\tO"
    one_message(call("tag", "apply", write("nul.conll", b"Rose\n\0\n"), *model), 3, "binary")


def test_line_ends_and_marks_of_byte_order_change_nothing(tagger: Trained) -> None:
    """Nor does a file that is compressed, or in another encoding."""
    found = sentences(40, seed=7)
    plain = column_text(found)
    first = succeed("tag", "eval", write("a.conll", plain), "--json", "--model", tagger.folder).out
    for data in ("\ufeff" + plain, plain.replace("\n", "\r\n"), plain.rstrip("\n"), plain.replace("\t", " ")):
        assert succeed("tag", "eval", write("b.conll", data), "--json", "--model", tagger.folder).out == first
    again = ("--encoding", "utf-16", "--json", "--model", tagger.folder)
    assert succeed("tag", "eval", write("c.conll", plain.encode("utf-16")), *again).out == first


@pytest.mark.parametrize("scheme", ["BIOES", "BILOU", "IOB1"])
def test_schemes_are_recognised(scheme: str, tmp_path: Path) -> None:
    """And entities are the same, whatever they are written in."""
    first, inside, last, alone = {"BIOES": tuple("BIES"), "BILOU": tuple("BILU"), "IOB1": tuple("IIII")}[scheme]

    def letter(label: str, *, goes_on: bool) -> str:
        if label.startswith("B"):
            return first if goes_on else alone
        return inside if goes_on else last

    rewritten = []
    for sentence in sentences():
        goes_on = [label == "I-PER" for _, label in sentence[1:]] + [False]
        rewritten.append(
            [
                (word, "O" if label == "O" else f"{letter(label, goes_on=more)}-PER")
                for (word, label), more in zip(sentence, goes_on, strict=True)
            ]
        )
    (tmp_path / "x.conll").write_text(column_text(rewritten))
    ended = succeed("tag", "train", "x.conll", *TAGGER[:-1], "--steps", 200, "--lr", 0.03, "--dropout", 0)
    assert re.search(f"entities as {scheme}", ended.err)
    assert succeed("tag", "eval", "--json").json["entities"]["overall"]["f1"] > 0.9
    write_columns(tmp_path / "same.conll")
    assert succeed("tag", "apply", "Rose Miller was", "--format", "color").out == b"[Rose Miller PER] was\n"
