"""The benchmark of n-gram models: the sides on charlm's part, the tables, and what it refuses. No figure is a time."""

import json
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from bench import command, ngrams, ngrams_engine
from bench.cases import Side
from bench.held_out import FIRST, KNOWN, PERPLEXITY, TOKENS, perplexities, read_lines
from bench.measuring import Worker, WorkerError
from bench.ngram_files import check_network, counted, write_files
from bench.ngrams import AGREEMENT, KENLM, NETWORK, Measured, disagreement, scoring_table, sides

from charlm.errors import UsageError
from charlm.exchange.ngrams import import_arpa
from charlm.ngram.arpa import LOG10
from charlm.ngram.model import load_ngram
from charlm.ngram.storing import write_ngram

GOLDEN = Path(__file__).parent / "golden"
TEXT = "".join(f"the {who} was {how}\n" for who in ("fox", "cat", "crow", "goat") for how in ("old", "shy", "sly")) * 3


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def at_once(given: Mapping[str, Side], turns: int, steps: int) -> dict[str, Measured]:
    """In the place of measuring: every side here, one step of each, and times that were made up."""
    del steps
    found = {}
    for place, (name, side) in enumerate(given.items(), 1):
        task = getattr(import_module(f"bench.{side.engine}_engine"), side.task)(**side.arguments)
        task.step()
        found[name] = Measured([place / 1000] * turns, [place / 2000] * turns, 50, task.figures)
    return found


def says(perplexity: float, seconds: tuple[float, ...] = (0.001,)) -> Measured:
    figures = {TOKENS: 10.0, FIRST: 0.1, PERPLEXITY: perplexity, KNOWN: perplexity - 1}
    return Measured(list(seconds), [0.0005] * len(seconds), 50, figures)


def test_perplexities_are_kenlms(tmp_path: Path) -> None:
    """With and without unknown tokens, of KenLM's own answers to the same lines."""
    model = import_arpa(GOLDEN / "kenlm.arpa", "token")
    write_ngram(model, tmp_path / "model.safetensors")
    queries = json.loads((GOLDEN / "kenlm.json").read_text("utf-8"))["queries"]
    lines = [" ".join(query["words"]) for query in queries]
    (tmp_path / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
    answers = [LOG10 * each for query in queries for each in query["log10"]]
    unknown = [word == "<unk>" for query in queries for word in [*query["words"], "</s>"]]
    assert any(unknown)
    expected = perplexities(answers, unknown)
    files = {"model": str(tmp_path), "lines": str(tmp_path / "lines.json")}
    for task in (ngrams_engine.judging(**files), ngrams_engine.command(**files)):
        task.step()
        assert task.amount == len(answers) == task.figures[TOKENS]
        for figure in (PERPLEXITY, KNOWN):
            assert task.figures[figure] == pytest.approx(expected[figure], rel=AGREEMENT)


def test_perplexities_of_known_tokens_leave_out_the_others() -> None:
    found = perplexities([math.log(0.5), math.log(0.125), math.log(0.125)], [False, True, False])
    assert found == {TOKENS: 3, PERPLEXITY: pytest.approx(2 ** (7 / 3)), KNOWN: pytest.approx(4)}


@pytest.mark.parametrize("level", ["word", "char"])
def test_the_lines_are_those_held_out_as_text_and_as_words(level: str, text: Path, tmp_path: Path) -> None:
    model, corpus = counted(text, level)
    files = write_files(tmp_path, model, corpus)
    texts, words = read_lines(files.text), read_lines(files.words)
    assert len(texts) == len(words) == corpus.valid.lines
    assert set(texts) <= set(TEXT.splitlines())
    if level == "char":
        assert words == [" ".join(line).replace("   ", " \\x20 ") for line in texts]
    assert sum(len(line.split()) + 1 for line in words) == len(corpus.valid)
    cost = model.evaluate(corpus.valid)
    judged = load_ngram(Path(files.own)).judge_lines(texts)
    assert -judged.totals.sum() == pytest.approx(cost.nats, rel=1e-6)  # whose file has 32 bits a probability
    assert import_arpa(Path(files.arpa), level).judge_lines(texts).totals == pytest.approx(judged.totals, rel=1e-6)


def test_a_side_says_its_figures_from_a_process_of_its_own(text: Path, tmp_path: Path) -> None:
    files = write_files(tmp_path, *counted(text, "word"))
    arguments = {"model": files.own, "lines": files.text}
    here = ngrams_engine.judging(**arguments).figures
    with Worker(Side("ngrams", "judging", arguments), {}) as worker:
        assert len(worker.turn(3)) == len(worker.processor) == 2
    assert {name: worker.figures[name] for name in (TOKENS, PERPLEXITY, KNOWN)} == {
        name: here[name] for name in (TOKENS, PERPLEXITY, KNOWN)
    }
    assert 10 < worker.megabytes < 2000


def test_turns_go_round(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Noted:
        """In the place of a worker."""

        megabytes, figures, processor = 1.0, says(2).figures, (4.0, 3.0, 9.0)

        def __init__(self, side: Side, kernels: Mapping[str, str]) -> None:
            assert not kernels
            self.name = side.task

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def turn(self, steps: int) -> list[float]:
            assert steps == 3
            asked.append(self.name)
            return [1.0, 5.0, 2.0]

    monkeypatch.setattr(ngrams, "Worker", Noted)
    monkeypatch.setattr(ngrams, "PAUSE", 0)
    found = ngrams.measure({name: Side("x", name, {}) for name in "abc"}, 3, 3)
    assert "".join(asked) == "abcbcacab"
    assert [each.seconds for each in found.values()] == [[2.0] * 3] * 3
    assert [each.processor for each in found.values()] == [[4.0] * 3] * 3


def test_a_run_prints_both_levels(
    text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without KenLM too, which it says in a line."""
    monkeypatch.setattr(ngrams, "kenlm_version", lambda: None)
    monkeypatch.setattr(ngrams, "measure", at_once)
    assert command.main(["ngrams", "--text", str(text), "--turns", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [ngrams.MISSING]
    assert printed.out.count("| charlm, `judge_lines` | 1,000 |  | 2,000 |  | ") == 2
    assert printed.out.count("| charlm, its own file | ") == 2
    assert "### word, order 5" in printed.out
    assert "### char, order 6" in printed.out
    assert "KenLM, " not in printed.out.replace(" KenLM's", "")


def test_one_level_can_be_chosen(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    monkeypatch.setattr(ngrams, "compare", lambda *given: found.append(given))
    ngrams.main(["--text", str(text), "--level", "char"])
    assert found == [(text, "char", None, 7)]


def test_a_network_chooses_the_level(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Any] = []
    level = "word"
    monkeypatch.setattr(ngrams, "load_model", lambda _: SimpleNamespace(text=SimpleNamespace(level=level)))
    monkeypatch.setattr(ngrams, "compare", lambda *given: found.append(given))
    for chosen in ([], ["--level", "word"]):
        ngrams.main(["--text", str(text), "--model", "it", *chosen])
    assert found == [(text, "word", Path("it"), 7)] * 2
    for level, chosen in (("word", ["--level", "char"]), ("byte", [])):
        with pytest.raises(SystemExit, match="2"):
            ngrams.main(["--text", str(text), "--model", "it", *chosen])
        assert f"--model is of the level {level}" in capsys.readouterr().err


def test_the_usual_text_is_one_of_the_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    monkeypatch.setattr("bench.ngram_files.SENTENCES", 30)
    monkeypatch.setattr(ngrams, "compare", lambda text, *_: found.append(text.read_text().count("\n")))
    ngrams.main([])
    assert found == [30, 30]


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["--turns", "0"], 2, "--turns is 0: it must be at least 1"),
        (["--text", "nowhere.txt"], 3, "nowhere.txt"),
        (["--model", "nowhere"], 4, "nowhere"),
    ],
)
def test_what_cannot_be_used_is_said(
    words: list[str], status: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        ngrams.main(words)
    assert ended.value.code == status
    assert why in capsys.readouterr().err.splitlines()[-1]


def test_sides_with_and_without_kenlm_and_a_network(text: Path, tmp_path: Path) -> None:
    files = write_files(tmp_path, *counted(text, "word"))
    scoring, loading = sides(files, "word", tmp_path, kenlm=True)
    assert [side.engine for side in scoring.values()] == ["kenlm", "kenlm", "ngrams", "ngrams", "ngrams"]
    assert scoring[NETWORK].arguments == {"model": str(tmp_path), "lines": files.text}
    assert scoring[KENLM].arguments == {"model": files.arpa, "lines": files.words}
    assert len(loading) == 3
    assert NETWORK not in sides(files, "word", None, kenlm=False)[0]


@pytest.mark.parametrize("wrong", ["", "vocabulary", "lines"])
def test_a_network_of_other_lines_is_refused(wrong: str, text: Path, tmp_path: Path) -> None:
    model = counted(text, "word")[0]
    other = tmp_path / "other.txt"
    other.write_text(TEXT + ("the end\n" if wrong == "vocabulary" else ""), encoding="utf-8")
    same = SimpleNamespace(independent_lines=wrong != "lines")
    network: Any = SimpleNamespace(text=same, tokenizer=counted(other, "word")[0].tokenizer)
    if not wrong:
        check_network(network, model)
    else:
        with pytest.raises(UsageError, match="--level word --independent-lines"):
            check_network(network, model)


def test_ratios_are_to_kenlms_score_turn_by_turn() -> None:
    found = {KENLM: says(3, (0.001, 0.004)), "charlm": says(3, (0.002, 0.001)), NETWORK: says(2, (0.1, 0.1))}
    lines = scoring_table(found).splitlines()[2:]
    assert lines[1] == (
        "| charlm | 667 | 2.25 (0.50-4.00) | 2,000 | 1.00 (1.00-1.00) | 100 | 3.00000 | 2.00000 | 50.0 |"
    )
    assert [line.split(" | ")[2] for line in lines] == ["1.00 (1.00-1.00)", "2.25 (0.50-4.00)", "0.03 (0.01-0.04)"]


def test_n_gram_models_that_disagree_are_told_of(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a network is free to say something else."""
    found = {KENLM: says(3.0), "charlm": says(3.0 * (1 + 1e-6)), NETWORK: says(2.0)}
    assert disagreement(found) == pytest.approx(1.5e-6, rel=1e-3)  # of the known ones: 3e-6 of 2
    monkeypatch.setattr(ngrams, "kenlm_version", lambda: "1")
    sizes = iter([{KENLM: says(3), "charlm": says(3.001)}, {}])
    monkeypatch.setattr(ngrams, "measure", lambda *_: next(sizes))
    with pytest.raises(WorkerError, match="perplexities of the same model on the same lines are"):
        ngrams.compare(text, "word", None, 1)
