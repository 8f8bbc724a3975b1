"""What `python tests/bench` does with its options, with failures and with Ctrl-C; figures are made up."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import command, machine
from bench.cases import Case, Plan, every_case
from bench.measuring import Turns, WorkerError
from bench.report import BEGIN, END

PAGE = f"# Page\n\n{BEGIN}\nold\n{END}\n"
PROBED = {"kernel": "SkylakeX", "blas": "openblas", "python": "3", "numpy": "2", "threads": "2"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with a page to write into, on a machine with AVX-512, PyTorch and nothing else to do."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "performance.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(command, "probe", lambda _: PROBED)
    monkeypatch.setattr(command, "avx2_kernel", lambda: "Haswell")
    monkeypatch.setattr(command, "torch_version", lambda: "2")
    monkeypatch.setattr(command, "load_average", lambda: 0.0)
    return tmp_path


class Measured:
    """In the place of measuring: made-up turns, and a note of what was asked for."""

    def __init__(self, fails: str = "", interrupted: str = "") -> None:
        self.asked: list[tuple[Case, Plan]] = []
        self.fails, self.interrupted = fails, interrupted

    def __call__(self, case: Case, plan: Plan) -> Turns:
        """As ``measure``."""
        self.asked.append((case, plan))
        if case.name == self.fails:
            raise WorkerError("torch training ended with status 1: MemoryError")
        if case.name == self.interrupted:
            raise KeyboardInterrupt
        return Turns([[0.5]], [[1.0]], 100, 400)


def figures(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((root / "build" / "bench.json").read_text(encoding="utf-8"))
    return found


def page(root: Path) -> str:
    return (root / "docs" / "performance.md").read_text(encoding="utf-8")


def test_a_full_run_writes_figures_and_page(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = Measured()
    assert command.main([], root, measured) == 0
    names = [each.name for each in every_case()]
    assert [each["case"] for each in figures(root)] == names
    assert [case.name for case, _ in measured.asked] == names
    printed = capsys.readouterr().out
    assert printed.strip() in page(root)
    assert all(f"| {name} |" in printed for name in names)
    assert "kernel SkylakeX" in printed


@pytest.mark.parametrize(
    "words", [["--only", "lstm", "1x512"], ["--quick"], ["--kernels", "AVX2"], ["--turns", "4"]], ids=" ".join
)
def test_a_part_of_a_run_leaves_the_page_alone(root: Path, words: list[str]) -> None:
    assert command.main(words, root, Measured()) == 0
    assert page(root) == PAGE
    assert figures(root)


def test_cases_are_chosen_by_all_words_and_kernels(root: Path) -> None:
    command.main(["--only", "1x512", "lstm", "train", "--kernels", "free"], root, Measured())
    assert [each["case"] for each in figures(root)] == [
        f"train lstm 65, 1x512, 64x64, embedding {size}, AVX-512" for size in (512, 128)
    ]


def test_where_there_is_no_avx2_it_is_left_out(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "avx2_kernel", lambda: None)
    assert command.main([], root, Measured()) == 0
    assert not any("AVX2" in each["case"] for each in figures(root))
    assert "without AVX2" in capsys.readouterr().err


def test_a_chip_without_avx2_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: object) -> dict[str, str]:
        raise subprocess.CalledProcessError(-4, "python")

    for found, kernel in (({"kernel": "Haswell"}, "Haswell"), ({"kernel": "neoversen1"}, None)):
        monkeypatch.setattr(machine, "probe", lambda _, found=found: found)
        assert machine.avx2_kernel() == kernel
    monkeypatch.setattr(machine, "probe", killed)
    assert machine.avx2_kernel() is None


def test_turns_are_as_many_as_asked_for(root: Path) -> None:
    for words, plan in ((["--turns", "7"], Plan(least=7, most=7)), (["--quick"], Plan(steps=2, least=1, most=1))):
        measured = Measured()
        command.main([*words, "--only", "share"], root, measured)
        assert [found for _, found in measured.asked] == [plan]


def test_a_failure_does_not_lose_the_others(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "score"], root, Measured(fails="score lstm 1x512")) == 1
    assert [each["case"] for each in figures(root)] == ["score gru-after 1x512"]
    printed = capsys.readouterr()
    assert "| score lstm 1x512 | failed: torch training ended with status 1: MemoryError |" in printed.out
    assert "MemoryError" in printed.err


def test_interrupted_it_writes_what_there_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [each.name for each in every_case()]
    assert command.main([], root, Measured(interrupted=names[2])) == 130
    assert [each["case"] for each in figures(root)] == names[:2]
    assert page(root) == PAGE
    assert f"interrupted: 2 of {len(names)}" in capsys.readouterr().err


def test_a_busy_machine_is_mentioned(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "load_average", lambda: 1.5)
    command.main(["--only", "memory"], root, Measured())
    assert "the load average is 1.50" in capsys.readouterr().err


def test_without_pytorch_it_says_how_to_get_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "torch_version", lambda: None)
    with pytest.raises(SystemExit, match="2"):
        command.main([], root, Measured())
    assert "make bench installs it" in capsys.readouterr().err
    assert not (root / "build").exists()
    # What needs no PyTorch runs.
    assert command.main(["--only", "start"], root, Measured()) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--turns", "0"], "at least 1"), (["--only", "lstm", "nonsense"], "no case has all of the words lstm nonsense")],
)
def test_options_that_make_no_sense(
    root: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(words, root, Measured())
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "no marks"])
def test_figures_are_kept_when_the_page_cannot_take_them(
    root: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = root / "docs" / "performance.md"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert command.main([], root, Measured()) == (0 if text else 5)
    assert len(figures(root)) == len(every_case())
    assert "performance.md" in capsys.readouterr().err


def test_it_runs_as_a_folder() -> None:
    """As `make bench` calls it: the names of the cases, and a step of every block."""
    folder = str(Path(command.__file__).parent)
    listed = subprocess.run([sys.executable, folder, "--list"], capture_output=True, text=True, check=True)
    assert "sample lstm 2x512  (floor 8)\n" in listed.stdout
    sizes = ["--hidden", "4", "--embedding", "3", "--vocabulary", "5", "--window", "3", "--batch", "2"]
    words = [sys.executable, folder, "blocks", "--turns", "1", "--steps", "1", *sizes]
    table = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "| gru after | " in table
    parameters = 5 * 3 + 4 * (4 * (4 + 3) + 4) + 5 * 4 + 5  # embedding, gates, head
    (lstm,) = (line for line in table.splitlines() if line.startswith("| lstm | "))
    assert lstm.startswith(f"| lstm | {parameters} | ")
    assert lstm.endswith(" | 1.00 |")
