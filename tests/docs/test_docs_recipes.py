"""The commands that the pages show can be typed as they stand.

Every fenced block marked ``sh`` is run by a shell, in a folder with the files that the pages speak of. Training is
cut short: a function in the place of ``charlm`` adds small sizes to what the page says.
"""

import gzip
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BASH = shutil.which("bash")
PRELUDE = """
set -eu -o pipefail
python() { "$PYTHON" "$@"; }
# Its reader may have gone by the time it writes, which a terminal would not even mention.
sort() { command sort "$@" || test $? -eq 141; }
charlm() {
    command=$1
    shift
    case "$command" in
        tag|classify) command="$command $1"; shift ;;
    esac
    case "$command" in
        train|*" train")
            case " $* " in
                *" --resume "*|*" --replay "*) ;;
                *" --from "*) set -- "$@" --window 16 --batch 4 --steps 5 ;;
                *" --time "*) set -- "$@" $SMALL --time 0.5s ;;
                *) set -- "$@" $SMALL --steps 5 ;;
            esac
            ;;
    esac
    python -m charlm $command "$@"
}
"""
SMALL = "--hidden 8 --embedding 4 --window 16 --batch 4"
WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "sat",
    "on",
    "under",
    "mat",
    "then",
    "ran",
    "away",
    "while",
    "rain",
    "fell",
    "softly",
]

pytestmark = pytest.mark.skipif(BASH is None or os.name == "nt", reason="the pages are for a POSIX shell")


def _blocks(text: str) -> str:
    """What the ``sh`` blocks of a text say, one after another."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def _recipes() -> dict[str, str]:
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _page("recipes.md"), re.DOTALL | re.MULTILINE)
    return {title: _blocks(text) for title, text in sections}


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **{key: value for key, value in os.environ.items() if key != "CHARLM_MODEL"},
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHON": sys.executable,
        "SMALL": SMALL,
    }
    return subprocess.run(
        [str(BASH), "-c", PRELUDE + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )


def _sentences(lines: int, seed: int) -> str:
    draw = random.Random(seed)  # noqa: S311 - nothing here is secret
    return "".join(" ".join(draw.choices(WORDS, k=12)).capitalize() + ".\n" for _ in range(lines))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of the dinosaurs and the files that the pages name."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copytree(ROOT / "corpora", folder / "corpora")
    (folder / "book.txt").write_text(_sentences(40, 1), encoding="utf-8")
    (folder / "other.txt").write_text(_sentences(10, 2), encoding="utf-8")
    (folder / "latin.txt").write_text(_sentences(20, 3) + "crème brûlée\n", encoding="latin-1")
    (folder / "logs").mkdir()
    for day in ("monday", "tuesday"):
        with gzip.open(folder / "logs" / f"{day}.txt.gz", "wt", encoding="utf-8") as log:
            log.write(_sentences(40, len(day)))
    (folder / "logs" / "core.bin").write_bytes(b"\0" * 100)
    (folder / "tune.mid").write_bytes(random.Random(4).randbytes(2000))  # noqa: S311 - as above
    done = _run("charlm train corpora/dinosaurs.txt", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("title", _recipes())
def test_recipe_can_be_typed_as_it_stands(title: str, prepared: Path, tmp_path: Path) -> None:
    """Every recipe has commands, and all of them exit with 0."""
    script = _recipes()[title]
    assert "charlm" in script
    folder = tmp_path / "work"
    shutil.copytree(prepared, folder)
    done = _run(script, folder)
    assert done.returncode == 0, f"{script}\n{done.stderr}"


def test_getting_started_can_be_typed_from_top_to_bottom(prepared: Path, tmp_path: Path) -> None:
    """The commands of the page, in its order, in a folder with the corpora and nothing else."""
    shutil.copytree(prepared / "corpora", tmp_path / "corpora")
    script = _blocks(_page("getting-started.md"))
    assert script.count("charlm ") > 5
    done = _run(script, tmp_path)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
