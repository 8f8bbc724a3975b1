"""Texts of three kinds, to train a model on each, and passages of all three that none was trained on, with labels.

    python corpora/who_wrote.py FOLDER

writes ``fables.txt``, ``dinosaurs.txt`` and ``python.txt`` into the folder, and ``passages.jsonl``: one object a
passage, with the name of its text as ``label``. Held out are the last seventh of the fables, a third of the names in
random order, and every tenth file of the project's own source.
"""

import argparse
import json
import random
from pathlib import Path

import charlm
from charlm.attribution import passages

HERE = Path(__file__).parent
SOURCE = Path(charlm.__file__).parent
SIZE = 300
"""Most characters of a passage; one with less than half of that is left out."""


def fables() -> tuple[str, str]:
    """The first six sevenths of the fables' paragraphs, and the rest."""
    paragraphs = (HERE / "fables.txt").read_text(encoding="utf-8").split("\n\n")
    cut = len(paragraphs) * 6 // 7
    return "\n\n".join(paragraphs[:cut]) + "\n", "\n\n".join(paragraphs[cut:])


def dinosaurs() -> tuple[str, str]:
    """Two thirds of the names, and the rest."""
    names = (HERE / "dinosaurs.txt").read_text(encoding="utf-8").split()
    random.Random(1).shuffle(names)
    cut = len(names) * 2 // 3
    return "\n".join(names[:cut]) + "\n", "\n".join(names[cut:]) + "\n"


def python() -> tuple[str, str]:
    """Nine tenths of the files of the project's source, and the rest."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))]
    return "\n".join(text for place, text in enumerate(texts) if place % 10), "\n".join(texts[::10])


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Texts of three kinds, and labelled passages that are held out.")
    parser.add_argument("folder", type=Path, help="where to write them")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (train, held_out) in {"fables": fables(), "dinosaurs": dinosaurs(), "python": python()}.items():
        (folder / f"{name}.txt").write_text(train, encoding="utf-8", newline="\n")
        # What stands in both, such as the options that two commands share, is not held out.
        cut = (piece for piece in passages(held_out, SIZE) if len(piece) >= SIZE // 2)
        pieces = [piece for piece in cut if piece not in train]
        rows += [json.dumps({"label": name, "text": piece}) for piece in pieces]
    (folder / "passages.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
