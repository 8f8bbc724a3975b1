"""What ``charlm classify`` refuses: in one message, with the place and the remedy, and nothing on standard output."""

from pathlib import Path

import pytest
from class_cases import reviews, table
from cli_cases import QUICK, Trained, call, names_text, one_message, succeed

import charlm

GOOD = "good\tfine\npoor\tbad\n" * 20


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A classifier that has hardly learnt anything."""
    folder = tmp_path_factory.mktemp("poor-classifier")
    corpus = folder / "reviews.tsv"
    corpus.write_text(table(reviews(60)), encoding="utf-8")
    succeed("classify", "train", corpus, "--model", folder / "model", *QUICK, "--steps", 3)
    return Trained(folder / "model", corpus)


def write(**files: str) -> None:
    """Files, with two underscores for a slash and one for a dot in their names."""
    for name, text in files.items():
        path = Path(name.replace("__", "/").replace("_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


UNREADABLE = {
    "no tab": ("a.tsv", "good\tfine\nbad\n", "a.tsv, line 2: there is no tab"),
    "a head": ("a.tsv", "label\ttext\tn\ngood\tfine\n", "a.tsv, line 2: 2 columns, and the file's head names 3"),
    "an empty label": ("a.tsv", "\tfine\n", "a.tsv, line 1: the label is empty"),
    "an empty text": ("a.tsv", "good\tfine\n\npoor\t  \n", "a.tsv, line 3: the text is empty"),
    "no JSON": ("a.jsonl", '{"label": "a", "text": "b"}\n{\n', "a.jsonl, line 2 is not valid JSON"),
    "another field": ("a.jsonl", '{"label": "a", "body": "b"}\n', "has no field 'text', but 'label', 'body'"),
    "a number": ("a.jsonl", '{"label": 1, "text": "b"}\n', "a.jsonl, line 1: the field 'label' is a number"),
    "a list": ("a.jsonl", "[]\n", "a.jsonl, line 1 is a list"),
    "nothing": ("a.tsv", "\n", "a.tsv holds no text"),
    "NUL bytes": ("a.tsv", "good\tfi\0ne\n", "a.tsv is a binary file"),
    "an encoding": ("a.tsv", "good\tfi\udcffne\n", "a.tsv is not valid utf-8"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_files_that_are_not_right_are_named_with_the_line(what: str, classifier: Trained) -> None:
    name, text, said = UNREADABLE[what]
    Path(name).write_bytes(text.encode("utf-8", "surrogateescape"))
    write(good_tsv=GOOD)
    for arguments in (
        ("train", name),
        ("train", "good.tsv", "--valid", name),
        ("eval", name, "--model", classifier.folder),
    ):
        ended = call("classify", *arguments)
        one_message(ended, 3, said)
        assert ended.out == b""
    assert not Path("runs").exists()


def test_a_file_of_one_class() -> None:
    write(a_tsv="good\tfine\n" * 9)
    one_message(call("classify", "train", "a.tsv"), 3, "a.tsv", "no label but 'good'", "at least two labels")


def test_an_empty_class() -> None:
    write(d__good__1_txt="fine", d__poor__2_txt="bad")
    Path("d/odd").mkdir()
    one_message(call("classify", "train", "d"), 3, "odd", "holds no text", "the label 'odd' has no example")


def test_too_few_texts() -> None:
    write(a_tsv="good\tfine\npoor\tbad\n")
    one_message(call("classify", "train", "a.tsv"), 3, "a.tsv has too few texts to validate", "--valid")


def test_a_label_that_did_not_occur_in_training_is_named_with_the_line(classifier: Trained) -> None:
    write(a_tsv=GOOD, b_tsv="good\tfine\nfair\tbad\n")
    said = ("b.tsv, line 2: the label 'fair' did not occur in training", "good")
    one_message(call("classify", "train", "a.tsv", "--valid", "b.tsv"), 3, *said)
    one_message(call("classify", "eval", "b.tsv", "--model", classifier.folder), 3, *said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--class-weights", "fair=2"), "'fair=2' names no label"),
        (("--class-weights", "good"), "'good' names no label"),
        (("--class-weights", "good=0"), "the weight of 'good' is '0': it must be a number above 0"),
        (("--class-weights", "good=nan"), "must be a number above 0"),
        (("--class-weights", "good=x"), "must be a number above 0"),
        (("--pooling", "median"), "unknown --pooling 'median': choose one of last, mean, max"),
        (("--output", "tanh"), "unknown output 'tanh': choose one of softmax, sigmoid"),
        (("--level", "page"), "unknown level 'page'"),
        (("--level", "byte", "--lowercase"), "--lowercase does not go with --level byte"),
        (("--unit", "page"), "--unit page does not go with"),
        (("--valid-fraction", "1"), "--valid-fraction is 1.0"),
        (("--min-count", "0"), "--min-count is 0"),
        (("--max-vocab", "0"), "--max-vocab is 0"),
        (("--encoding", "no-such"), "unknown encoding 'no-such'"),
    ],
)
def test_options_that_make_no_sense(options: tuple[str, ...], said: str) -> None:
    write(a_tsv=GOOD)
    one_message(call("classify", "train", "a.tsv", *options), 2, said)
    assert not Path("runs").exists()


def test_what_does_not_go_together(classifier: Trained) -> None:
    model = ("--model", classifier.folder)
    one_message(call("classify", "apply", *model, "a", "--file", "b"), 2, "give texts or --file, not both")
    one_message(call("classify", "apply", *model, "a", "--label", "good"), 2, "--label goes with --why")
    one_message(call("classify", "apply", *model, "a", "--why", "--label", "fair"), 2, "there is no label 'fair'")
    one_message(call("classify", "eval", *model, "--errors", -1), 2, "--errors is -1")
    one_message(call("classify", "train"), 2, "charlm classify train FILE")
    one_message(call("classify"), 2, "charlm classify --help")
    one_message(call("classify", "aply"), 2, "charlm classify --help")


def test_files_that_are_not_there(classifier: Trained) -> None:
    one_message(call("classify", "train", "none.tsv"), 3, "no such file: none.tsv")
    one_message(call("classify", "apply", "--file", "none.tsv", "--model", classifier.folder), 3, "none.tsv")
    one_message(call("classify", "eval", "none.tsv", "--model", classifier.folder), 3, "none.tsv")


def test_models_of_another_kind_are_named(classifier: Trained, names: Trained) -> None:
    for command in (("apply", "a"), ("eval", "none.tsv")):
        one_message(call("classify", *command, "--model", names.folder), 4, "is a language model, not a classifier")
        one_message(call("classify", *command), 4, "there is no classifier under runs/", "charlm classify train FILE")
    others = [
        *(("sample",), ("score", "a"), ("next",), ("eval",), ("explain", "a"), ("gradients", "a")),
        *(("tag", "apply", "a"), ("tag", "eval"), ("export", "--to", "pytorch", "x")),
    ]
    for other in others:
        said = one_message(call(*other, "--model", classifier.folder), 4, "is a classifier, not a")
        assert "charlm classify apply" in said


def test_what_stands_beside_the_corpus_is_gone(tmp_path: Path) -> None:
    """The classifier works without its texts, but has none to be judged by."""
    write(a_tsv=GOOD)
    succeed("classify", "train", "a.tsv", "--model", "m", *QUICK, "--steps", 2)
    Path("a.tsv").unlink()
    one_message(call("classify", "eval", "--model", "m"), 3, "a.tsv", "name a file to evaluate")
    succeed("classify", "train", "-", "--model", "n", *QUICK, "--steps", 2, stdin=GOOD.encode())
    one_message(call("classify", "eval", "--model", "n"), 3, "name a file to evaluate")
    made = charlm.train_classifier(
        examples=reviews(40), folder=tmp_path / "o", hidden=4, embedding=4, steps=1, window=8, batch=2
    )
    assert made.labels
    one_message(call("classify", "eval", "--model", "o"), 3, "name a file to evaluate")
    one_message(call("classify", "train", "--resume", "--model", "o"), 3, "it cannot be read again")


def test_strange_texts_are_labelled_all_the_same(classifier: Trained) -> None:
    """Empty ones, right to left, control characters, marks and emoji; nothing of them commands the terminal."""
    texts = ["", "\u202e\u05d0\u05d1", "\x1b[31m\x07", "\U0001f600\u200d\U0001f525", "e\u0301", "a\tb\nc", "x" * 70_000]
    ended = succeed("classify", "apply", "--model", classifier.folder, *texts, "--why")
    assert not set(ended.out.decode()) & set("\x1b\x07\u202e\r")
    rows = [line for line in ended.out.decode().splitlines() if not line.startswith("    ")]
    assert len(rows) == len(texts)
    assert all(len(row.split("\t")) == 3 for row in rows)
    assert "1 text is empty" in ended.err
    assert "knows no word at all" in ended.err
    written = succeed("classify", "apply", "--model", classifier.folder, "--json", *texts).objects
    assert [each["text"] for each in written] == texts
    # Bytes that a pipe may bring are no text.
    piped = call("classify", "apply", "--model", classifier.folder, stdin=b"good \0 bad\n")
    one_message(piped, 3, "standard input is a binary file")


def test_the_name_of_a_file_is_taken_as_a_text_and_said_to_be(classifier: Trained) -> None:
    write(a_tsv=GOOD)
    ended = succeed("classify", "apply", "--model", classifier.folder, "a.tsv")
    assert "--file a.tsv" in ended.err
    assert ended.out.decode().rstrip().endswith("a.tsv")


def test_a_language_model_is_not_trained_by_mistake() -> None:
    """A list of names has no labels."""
    write(names_txt=names_text())
    one_message(call("classify", "train", "names.txt"), 3, "names.txt, line 1: there is no tab")
