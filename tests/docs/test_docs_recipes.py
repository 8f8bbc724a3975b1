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
from collections.abc import Sequence
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
            # What has been trained better, for results to be looked at, is not trained again.
            for word in $LEARNT; do
                case " $* " in *" --model $word "*) return 0 ;; esac
            done
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


def _run(script: str, folder: Path, learnt: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run a script; models that it trains are hardly trained, but for those that are there already."""
    environment = {
        **{key: value for key, value in os.environ.items() if key != "CHARLM_MODEL"},
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHON": sys.executable,
        "SMALL": SMALL,
        "LEARNT": " ".join(learnt),
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


LOG_MODEL, SENTENCES = "runs/logs", "runs/sentences"
WRITERS = ("who/fables", "who/dinosaurs", "who/python")
STRANGE = "09:07:51 worker 2 could not reach the disk"


def _log(seed: int) -> list[str]:
    draw = random.Random(seed)  # noqa: S311 - as above
    return [
        f"09:{draw.randrange(60):02}:07 worker {draw.randrange(5)} finished job {draw.randrange(99)}"
        for _ in range(200)
    ]


@pytest.fixture(scope="module")
def taught(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, with tiny models that have learnt what their recipes ask them."""
    folder = tmp_path_factory.mktemp("taught") / "work"
    shutil.copytree(prepared, folder)
    for day, lines in (("monday", _log(1)), ("tuesday", [*_log(2), STRANGE])):
        with gzip.open(folder / "logs" / f"{day}.txt.gz", "wt", encoding="utf-8") as log:
            log.write("".join(f"{line}\n" for line in sorted(lines)))
    sizes = "--hidden 48 --embedding 24 --batch 32 --window 16 --dropout 0 --lr 0.02"
    done = _run(
        f"""
        python -m charlm train logs/monday.txt.gz --independent-lines --model {LOG_MODEL} {sizes} --steps 60
        python corpora/agreement.py --sentences 20000 --seed 1 > sentences.txt
        python -m charlm train sentences.txt --level word --independent-lines --model {SENTENCES} {sizes} --steps 400
        python corpora/who_wrote.py texts
        for name in fables dinosaurs python; do
            python -m charlm train texts/$name.txt --model who/$name {sizes} --steps 60
        done
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


def _task(title: str, folder: Path, *learnt: str) -> str:
    """What a recipe prints, of models that have learnt."""
    done = _run(_recipes()[title], folder, learnt)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_odd_line_of_a_log_comes_first(taught: Path) -> None:
    assert STRANGE in _task("Find the odd lines in a log", taught, LOG_MODEL).splitlines()[0]


def test_the_right_homophone_is_picked(taught: Path) -> None:
    lines = _task("Pick the right homophone", taught, SENTENCES).splitlines()
    assert lines[1].endswith("the apple and pear salad")
    (share,) = [line.split()[2] for line in lines if line.startswith("sound-alike")]
    assert float(share.removesuffix("%")) >= 90


def test_who_wrote_it_is_found(taught: Path) -> None:
    """Of passages of 300 characters that nothing was trained on, at least 95 in a hundred; priors are said."""
    out = _task("Who wrote this", taught, *WRITERS)
    first = out.splitlines()[1].split()
    assert first[0] == "fables"
    assert float(first[1]) == pytest.approx(1 / 3, abs=1e-4)
    (right,) = re.findall(r"^right: .* \(([\d.]+)% \+-", out, re.MULTILINE)
    assert float(right) >= 95


def test_getting_started_can_be_typed_from_top_to_bottom(prepared: Path, tmp_path: Path) -> None:
    """The commands of the page, in its order, in a folder with the corpora and nothing else."""
    shutil.copytree(prepared / "corpora", tmp_path / "corpora")
    script = _blocks(_page("getting-started.md"))
    assert script.count("charlm ") > 5
    done = _run(script, tmp_path)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
