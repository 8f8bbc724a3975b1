"""The table of docs/compression.md: texts compressed by charlm and by others.

    python docs/make_compression.py corpora/dinosaurs.txt=runs/dinosaurs valid.txt=runs/shakespeare
    python docs/make_compression.py --write       # write the table again from the figures there are

Each text is named with the model that compresses it. Charlm compresses by the command that a person types,
decompresses what it wrote, and the bytes are compared; so do the others, by the Python modules of their own projects
or, where there is none, by their own tools, each at its best setting. Which of them were there is said, and which
were not. What was measured goes into `compression.json`; from there the table between the marks in the page is
written, and the prose around it is written by hand.
"""

import argparse
import bz2
import gzip
import importlib
import json
import lzma
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from page_tables import with_tables

from charlm.checkpoint import MODEL_FILE
from charlm.machine import fingerprint

HERE = Path(__file__).resolve().parent
PAGE, FIGURES = HERE / "compression.md", HERE / "compression.json"
MEMORY = 1 << 28
"""Bytes that PPMd may take."""
ORDER = 6
"""Of PPMd's contexts; 4 to 16 were tried on the fables and differ by less than 3 %."""
DYNAMIC = ("--dynamic", "sgd")


class Peer(NamedTuple):
    """A compressor beside charlm.

    Attributes:
        name: with its setting, as it stands in the table.
        pack: makes a file's bytes few; raises ImportError or FileNotFoundError where there is none.
        unpack: turns them back.
    """

    name: str
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _zstd(data: bytes, *options: str) -> bytes:
    """By the Python module, or else by the tool."""
    try:
        module = _module("zstandard")
    except ImportError:
        tool = shutil.which("zstd")
        if tool is None:
            raise
        command = [tool, "-q", "-c", *(options or ("-d",))]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout  # noqa: S603 - zstd's own
    if options:
        return bytes(module.ZstdCompressor(level=22).compress(data))
    return bytes(module.ZstdDecompressor().decompress(data))


def _ppmd(data: bytes) -> bytes:
    encoder = _module("pyppmd").Ppmd7Encoder(ORDER, MEMORY)
    return len(data).to_bytes(8, "little") + bytes(encoder.encode(data) + encoder.flush())


def _from_ppmd(data: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    return bytes(_module("pyppmd").Ppmd7Decoder(ORDER, MEMORY).decode(data[8:], size))


PEERS = (
    Peer("gzip -9", lambda data: gzip.compress(data, 9, mtime=0), gzip.decompress),
    Peer("zstd --ultra -22", lambda data: _zstd(data, "--ultra", "-22"), _zstd),
    Peer(
        "xz -9e",
        lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
        lzma.decompress,
    ),
    Peer(
        "brotli -q 11",
        lambda data: bytes(_module("brotli").compress(data, quality=11, lgwin=24)),
        lambda data: bytes(_module("brotli").decompress(data)),
    ),
    Peer("bzip2 -9", lambda data: bz2.compress(data, 9), bz2.decompress),
    Peer(f"PPMd (7-Zip's, order {ORDER})", _ppmd, _from_ppmd),
)


def by_peers(data: bytes) -> dict[str, int | None]:
    """Bytes that each peer makes of a text; None for those that are not there.

    Raises:
        ValueError: something else comes back.
    """
    found: dict[str, int | None] = {}
    for peer in PEERS:
        try:
            packed = peer.pack(data)
        except (ImportError, FileNotFoundError):
            found[peer.name] = None
            continue
        if peer.unpack(packed) != data:
            raise ValueError(f"{peer.name} did not give the text back")
        found[peer.name] = len(packed)
    return found


def by_charlm(text: Path, model: Path, options: Sequence[str], folder: Path) -> dict[str, Any]:
    """What `charlm compress` makes of a text, and how long it and `charlm decompress` take.

    Raises:
        ValueError: something else comes back.
    """
    packed, back = folder / "packed", folder / "back"
    began = time.perf_counter()
    _charlm("compress", str(text), "-o", str(packed), "--overwrite", "--model", str(model), *options)
    between = time.perf_counter()
    _charlm("decompress", str(packed), "-o", str(back), "--overwrite", "--model", str(model))
    ended = time.perf_counter()
    if back.read_bytes() != text.read_bytes():
        raise ValueError(f"charlm did not give {text} back")
    return {"bytes": packed.stat().st_size, "seconds": [between - began, ended - between]}


def _charlm(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "charlm", *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def measured(text: Path, model: Path, dynamic: Sequence[str] = DYNAMIC) -> dict[str, Any]:
    """All that is known of a text and a model."""
    data = text.read_bytes()
    file = model / MODEL_FILE if model.is_dir() else model
    with tempfile.TemporaryDirectory() as folder:
        plain = by_charlm(text, model, (), Path(folder))
        learning = by_charlm(text, model, dynamic, Path(folder))
    return {
        "text": text.name,
        "bytes": len(data),
        "model": file.stat().st_size,
        "charlm": plain,
        "charlm dynamic": {**learning, "options": list(dynamic)},
        "peers": by_peers(data),
    }


def tables(figures: Mapping[str, Any]) -> dict[str, str]:
    """The table of the page, and what it was made with, by the names of their marks."""
    runs = figures["runs"]
    names = [run["text"] for run in runs]
    rows = [
        f"| | {' | '.join(names)} |",
        f"|{' --- |' * (len(names) + 1)}",
        _row("bytes", [f"{run['bytes']:,}" for run in runs]),
    ]
    of_peers = ((peer.name, [run["peers"].get(peer.name) for run in runs]) for peer in PEERS)
    rows += [
        _row(name, [_size(size, run["bytes"]) for size, run in zip(sizes, runs, strict=True)])
        for name, sizes in of_peers
    ]
    for name, key in (("charlm", "charlm"), ("charlm, dynamic evaluation", "charlm dynamic")):
        rows.append(_row(f"**{name}**", [_size(run[key]["bytes"], run["bytes"]) for run in runs]))
        rows.append(
            _row(f"{name}, model counted", [_size(run[key]["bytes"] + run["model"], run["bytes"]) for run in runs])
        )
    rows.append(_row("the model's file, bytes", [f"{run['model']:,}" for run in runs]))
    rows.append(_row("compressing, decompressing, s", [_seconds(run["charlm"]) for run in runs]))
    rows.append(_row("the same, dynamic, s", [_seconds(run["charlm dynamic"]) for run in runs]))
    missing = sorted({name for run in runs for name, size in run["peers"].items() if size is None})
    without = f" Not there: {', '.join(missing)}." if missing else ""
    return {"compression": "\n".join(rows), "compressors": figures["machine"] + without}


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _size(packed: int | None, size: int) -> str:
    """Bytes, and bits for each of the text's."""
    return "not there" if packed is None else f"{packed:,} ({8 * packed / size:.3f})"


def _seconds(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{seconds:.1f}" for seconds in run["seconds"])


def machine() -> str:
    """What was measured with."""
    found = fingerprint()
    peers = [_version(name) for name in ("zstandard", "brotli", "pyppmd")]
    return (
        f"Python {found['python']}, NumPy {found['numpy']}, kernel {found['kernel']}, one thread; {', '.join(peers)}."
    )


def _version(name: str) -> str:
    try:
        return f"{name} {_module(name).__version__}"
    except ImportError:
        return f"no {name}"


def write(figures: Mapping[str, Any]) -> None:
    """Put the table into the page."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(figures)), encoding="utf-8")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="The table of docs/compression.md.")
    parser.add_argument("texts", nargs="*", metavar="TEXT=MODEL", help="what to compress, and by which model")
    parser.add_argument("--write", action="store_true", help="write again from the figures there are; measure nothing")
    options = parser.parse_args()
    if options.write:
        write(json.loads(FIGURES.read_text(encoding="utf-8")))
        return
    if not options.texts:
        parser.error("name texts and models, or --write")
    figures: dict[str, Any] = {"machine": machine(), "runs": []}
    for pair in options.texts:
        text, _, model = pair.rpartition("=")
        figures["runs"].append(measured(Path(text), Path(model)))
        sys.stdout.write(f"{json.dumps(figures['runs'][-1])}\n")
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write(figures)


if __name__ == "__main__":
    main()
