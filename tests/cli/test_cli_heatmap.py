"""``charlm score --heatmap`` and ``--color``: the page holds what score says, and pipes get no colours."""

from __future__ import annotations

import io
import json
import math
import re
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import Trained, call, one_message, prose_text, succeed
from heatmap_cases import Parsed

import charlm
from charlm import heatmap, surprise
from charlm.checkpoint import load_model
from charlm.surprise import SurprisePage

TEXT = 'the river </script> & <b>\n\n\tgarden  "é" 😀 שלום\nwindow'


def page_of(path: str = "page.html") -> Parsed:
    return Parsed(Path(path).read_text(encoding="utf-8"))


def figures_of(parsed: Parsed) -> list[tuple[list[Any], list[tuple[str, float]]]]:
    """The figures of each token, and what is likeliest in its place."""
    found = json.loads(parsed.data)
    rows = []
    for _, *entry in found["tokens"]:
        figures, others = entry[: len(found["figures"])], entry[len(found["figures"]) :]
        rows.append((figures, [(found["names"][i], p) for i, p in zip(others[::2], others[1::2], strict=True)]))
    return rows


def test_the_page_holds_the_text_and_what_each_token_costs(prose: Trained) -> None:
    ended = succeed("score", TEXT, "--model", prose.folder, "--heatmap", "page.html", "--per-token", "--json")
    assert "wrote page.html" in ended.err
    parsed = page_of()
    assert parsed.text == TEXT
    scored = ended.json["per_token"]
    rows = figures_of(parsed)
    assert len(rows) == len(scored)
    for (figures, likeliest), token in zip(rows, scored, strict=True):
        bits, nats, rank, entropy = figures
        assert nats == pytest.approx(token["logprob"], abs=1e-4)
        assert bits == pytest.approx(-token["logprob"] / math.log(2), abs=1e-4)
        assert rank == token["rank"]
        assert entropy == pytest.approx(token["entropy"] / math.log(2), abs=1e-4)
        assert len(likeliest) == 5
        shares = [share for _, share in likeliest]
        assert shares == sorted(shares, reverse=True)
        if rank <= 5 and not token["unknown"]:
            assert likeliest[rank - 1][0] == token["token"]
            assert likeliest[rank - 1][1] == pytest.approx(math.exp(token["logprob"]), rel=1e-3)


def test_unknown_tokens_on_the_page_share_what_the_scores_say(prose: Trained) -> None:
    words = ("score", TEXT, "--model", prose.folder, "--heatmap", "page.html", "--per-token", "--json")
    scored = succeed(*words, "--unk-vocabulary", 40).json
    rows = figures_of(page_of())
    assert any(token["unknown"] for token in scored["per_token"])
    for (figures, _), token in zip(rows, scored["per_token"], strict=True):
        assert figures[1] == pytest.approx(token["logprob"], abs=1e-4)
    page = Path("page.html").read_text(encoding="utf-8")
    assert f"{scored['bits_per_token']:.3f} bits a token" in page
    assert "40 tokens share the probability of &lt;UNK&gt;" in page
    succeed(*words)
    assert "share the probability" not in Path("page.html").read_text(encoding="utf-8")


def test_likeliest_are_those_of_the_distribution(names: Trained) -> None:
    succeed("score", "ba", "--model", names.folder, "--heatmap", "page.html")
    model = charlm.load(names.folder)
    expected = model.log_probabilities([model.encode("ba")])[0]
    for row, (_, likeliest) in zip(expected, figures_of(page_of()), strict=True):
        best = np.argsort(-row)[:5]
        assert [name for name, _ in likeliest] == [model.vocabulary[i] for i in best]
        assert [share for _, share in likeliest] == pytest.approx(np.exp(row[best]).tolist(), rel=1e-3)


def test_lines_of_a_file_are_its_text(names: Trained) -> None:
    ended = succeed("score", "--file", names.corpus, "--model", names.folder, "--heatmap", "page.html", "--json")
    parsed = page_of()
    assert parsed.text + "\n" == names.corpus.read_text()
    means = [float(value or "") for name, value in parsed.attributes if name == "data-mean"]
    assert means == pytest.approx([each["bits_per_token"] for each in ended.objects], abs=0.006)


def test_whole_files_bytes_and_pipes(prose: Trained, octets: Trained) -> None:
    text = prose_text(9).encode() + b"\r\nend\r\n"
    Path("own.txt").write_bytes(text)
    succeed("score", "--file", "own.txt", "--whole", "--model", prose.folder, "--heatmap", "page.html")
    assert page_of().text == text.decode().replace("\r\n", "\n")
    succeed("score", "--whole", "--model", octets.folder, "--heatmap", "page.html", stdin="é\xe9😀\r\n".encode())
    parsed = page_of()
    assert parsed.text == "é\xe9😀\r\n"
    assert parsed.names[:2] == ["\\xc3", "\\xa9"]


def test_what_there_is_no_room_for_is_said(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(prose.folder)
    for texts, most, shown, left_out in (
        (["abcd", "ef"], 8, "abcd\nef", ""),
        (["abcd", "ef"], 5, "abcd", "1 of 2 texts"),
        (["abcd", "ef"], 6, "abcd\ne", "2 of 2 texts, the last of them in part"),
        (["abcd"], 2, "ab", "the beginning of the text"),
    ):
        page = SurprisePage(model, most)
        for text in texts:
            page.add(text)
        found = page.page("texts")
        parsed = Parsed(heatmap.render(found))
        assert parsed.text == shown
        assert left_out in found.left_out
        assert bool(found.left_out) == bool(left_out)
    monkeypatch.setattr(surprise, "SurprisePage", lambda model, unk_vocabulary: SurprisePage(model, 2, unk_vocabulary))
    ended = succeed("score", "abcd", "--model", prose.folder, "--heatmap", "page.html")
    assert "page.html: only the beginning of the text" in ended.err
    assert "Only the beginning of the text" in Path("page.html").read_text(encoding="utf-8")


def test_the_same_text_is_the_same_page_and_nothing_else_is_left(prose: Trained) -> None:
    for name in ("a.html", "b.HTM"):
        succeed("score", TEXT, "--model", prose.folder, "--heatmap", name)
    assert Path("a.html").read_bytes() == Path("b.HTM").read_bytes()
    assert sorted(path.name for path in Path().iterdir()) == ["a.html", "b.HTM"]


def test_bad_input_is_one_message_before_any_work(prose: Trained) -> None:
    here = ("--model", prose.folder)
    one_message(call("score", "a", *here, "--heatmap", "page.txt"), 2, "page.txt", "--heatmap", ".html")
    one_message(call("score", "a", *here, "--heatmap", "nowhere/page.html"), 5, "nowhere", "--heatmap")
    Path("folder.html").mkdir()
    one_message(call("score", "a", *here, "--heatmap", "folder.html"), 5, "folder.html", "it is a folder")
    one_message(call("score", "a", *here, "--color", "--json"), 2, "--color", "--json")
    one_message(call("score", "a", *here, "--color", "--per-token"), 2, "--color", "--per-token")
    assert [path.name for path in Path().iterdir()] == ["folder.html"]
    empty = succeed("score", *here, "--heatmap", "page.html", stdin=b"")
    assert "nothing to score" in empty.err
    assert not Path("page.html").exists()


def test_a_page_that_cannot_be_written_is_one_message(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("page.html").write_text("before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    one_message(call("score", "a", "--model", prose.folder, "--heatmap", "page.html"), 5, "page.html", "No space")
    assert Path("page.html").read_text() == "before"
    assert stat.S_ISREG(Path("page.html").stat().st_mode)


@pytest.fixture
def _no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_wishes")
def test_pipes_get_no_colours(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = succeed("score", TEXT, "a river", "--model", prose.folder)
    piped = succeed("score", TEXT, "a river", "--model", prose.folder, "--color")
    assert piped.out == plain.out
    assert "no colours: the output is no terminal (FORCE_COLOR=1" in piped.err
    assert "\x1b" not in piped.err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert b"\x1b" not in succeed("score", TEXT, "--model", prose.folder).out
    monkeypatch.setenv("NO_COLOR", "1")
    refused = succeed("score", TEXT, "a river", "--model", prose.folder, "--color")
    assert refused.out == plain.out
    assert "no colours: NO_COLOR is set" in refused.err


class Terminal(io.TextIOWrapper):
    """Says that it is one."""

    def isatty(self) -> bool:
        """Whatever it is."""
        return True


@pytest.mark.usefixtures("_no_wishes")
def test_a_terminal_gets_colours(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the legend on standard error; a dumb one gets none."""
    monkeypatch.setattr("cli_cases.io.TextIOWrapper", Terminal)
    text = "the xqz \x1b[2J river\nof"
    ended = succeed("score", text, "--model", prose.folder, "--color")
    out = ended.out.decode()
    assert "\x1b[38;5;16;48;5;" in out
    assert "bits a token" in ended.err
    assert "\x1b[48" not in ended.err.replace("38;5;16;48", "")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert "the xqz \\u001b[2J river\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}\nof" in shown
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert b"\x1b[38;2;0;0;0;48;2;" in succeed("score", text, "--model", prose.folder, "--color").out
    monkeypatch.setenv("TERM", "dumb")
    assert b"\x1b" not in succeed("score", text, "--model", prose.folder, "--color").out
