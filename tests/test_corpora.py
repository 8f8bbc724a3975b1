"""What the texts in corpora/ promise."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
PROSE = ["fables.txt"]  # running text, with blank lines between its paragraphs
FILES = ["dinosaurs.txt", *PROSE]
PROGRAMS = sorted({path.name for path in CORPORA.glob("*.py")} - {"judge.py", "gain.py"})  # which write no text


def lines_of(name: str) -> list[str]:
    """The lines of a corpus, without their line ends."""
    return (CORPORA / name).read_text(encoding="ascii").splitlines()


def test_every_corpus_is_tested() -> None:
    """No text lies in corpora/ that the tests below do not look at."""
    assert sorted(path.name for path in CORPORA.glob("*.txt")) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_form(name: str) -> None:
    """ASCII only, LF line ends, a final newline, and no line padded or, but between paragraphs of prose, empty."""
    data = (CORPORA / name).read_bytes()
    assert data.isascii()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    for line in data.decode("ascii").removesuffix("\n").split("\n"):
        assert line or name in PROSE
        assert line == line.strip()


@pytest.mark.parametrize("name", FILES)
def test_readme_gives_the_number_of_lines(name: str) -> None:
    """The table in corpora/README.md has a row for the file, with its number of lines."""
    readme = (CORPORA / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| \[`{re.escape(name)}`\].*\| (\d+) \|$", readme, flags=re.MULTILINE)
    assert row is not None
    assert int(row[1]) == len(lines_of(name))


@pytest.mark.parametrize("name", PROGRAMS)
def test_readme_tells_of_every_program(name: str) -> None:
    """The table has a row for it that leads to its section."""
    readme = (CORPORA / "README.md").read_text(encoding="utf-8")
    assert f"| [`{name}`](#{name.replace('.', '')}) |" in readme
    assert f"\n## {name}\n" in readme


def test_dinosaurs_are_many() -> None:
    assert len(lines_of("dinosaurs.txt")) >= 700


def test_dinosaurs_are_genus_names() -> None:
    """Each line is one capitalised word of 3 to 30 letters."""
    for name in lines_of("dinosaurs.txt"):
        assert re.fullmatch(r"[A-Z][a-z]+", name), name
        assert 3 <= len(name) <= 30, name


def test_dinosaurs_are_sorted_without_duplicates() -> None:
    names = lines_of("dinosaurs.txt")
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "Allosaurus",
        "Ankylosaurus",
        "Archaeopteryx",
        "Brachiosaurus",
        "Diplodocus",
        "Iguanodon",
        "Parasaurolophus",
        "Spinosaurus",
        "Stegosaurus",
        "Triceratops",
        "Tyrannosaurus",
        "Velociraptor",
    ],
)
def test_well_known_dinosaurs_are_in(name: str) -> None:
    assert name in lines_of("dinosaurs.txt")


@pytest.mark.parametrize(
    "name",
    [
        "Dimetrodon",
        "Elasmosaurus",
        "Ichthyosaurus",
        "Mosasaurus",
        "Plesiosaurus",
        "Postosuchus",
        "Pteranodon",
        "Pterodactylus",
        "Quetzalcoatlus",
        "Sarcosuchus",
        "Silesaurus",
        "Tanystropheus",
    ],
)
def test_other_extinct_reptiles_and_their_kin_are_out(name: str) -> None:
    """Contemporaries and look-alikes that are not dinosaurs do not slip in."""
    assert name not in lines_of("dinosaurs.txt")


@pytest.mark.parametrize("name", PROSE)
def test_prose_is_in_short_lines_and_paragraphs(name: str) -> None:
    """No line is longer than 80 characters; blank lines are single, and neither first nor last."""
    lines = lines_of(name)
    assert max(map(len, lines)) <= 80
    assert lines[0]
    assert lines[-1]
    assert all(line or following for line, following in pairwise(lines))


def test_fables_are_many() -> None:
    """At least 60 KB, in as many stories as the README says; only a title ends without a punctuation mark."""
    text = (CORPORA / "fables.txt").read_text(encoding="ascii")
    readme = (CORPORA / "README.md").read_text(encoding="utf-8")
    titles = [paragraph for paragraph in text.strip().split("\n\n") if paragraph[-1] not in '.!?"']
    assert len(text) >= 60_000
    assert f"{len(titles)} short fables" in readme
    assert f"{len(text):,} characters" in readme
    assert len(set(titles)) == len(titles)


def test_fables_hardly_repeat_themselves() -> None:
    """At least 90 % of the eight-word sequences are distinct."""
    words = (CORPORA / "fables.txt").read_text(encoding="ascii").split()
    sequences = [tuple(words[i : i + 8]) for i in range(len(words) - 7)]
    assert len(set(sequences)) >= 0.9 * len(sequences)
