"""``charlm diff``: tokens and what they cost two models, in either order, in a terminal and as JSON."""

import os
import re
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, environment, one_message, process, prose_text, succeed

EMOJI = "\N{GRINNING FACE}"


def test_tokens_cost_what_their_scores_say(names: Trained, prose: Trained) -> None:
    text = "lantern"
    models = (f"a={names.folder}", f"b={prose.folder}")
    found = succeed("diff", *models, text, "--json", "--sort", "place").json
    scores = [
        succeed("score", text, "-m", each, "--per-token", "--json").json["per_token"]
        for each in (names.folder, prose.folder)
    ]
    assert (found["a"], found["b"], found["by_token"]) == ("a", "b", True)
    assert "".join(gap["text"] for gap in found["gaps"]) == text
    for place, (gap, a, b) in enumerate(zip(found["gaps"], *scores, strict=True)):
        assert gap["place"] == place
        assert gap["logprob_a"] == pytest.approx(a["logprob"], rel=1e-4, abs=1e-5)
        assert gap["logprob_b"] == pytest.approx(b["logprob"], rel=1e-4, abs=1e-5)
        assert gap["difference"] == gap["logprob_a"] - gap["logprob_b"]
        assert gap["unknown_a"] == gap["unknown_b"] == 0
    assert found["difference"] == pytest.approx(sum(gap["difference"] for gap in found["gaps"]))


def test_the_orders_and_how_many(names: Trained, prose: Trained) -> None:
    models = (f"a={names.folder}", f"b={prose.folder}")
    text = "banana and winter on the bridge"
    by_gap = succeed("diff", *models, text, "--json").json["gaps"]
    by_place = succeed("diff", *models, text, "--json", "--sort", "place").json["gaps"]
    assert by_gap == sorted(by_place, key=lambda gap: -abs(gap["difference"]))
    assert succeed("diff", *models, text, "--json", "-n", 3).json["gaps"] == by_gap[:3]
    assert succeed("diff", *models, text, "--json", "--sort", "place", "-n", 3).json["gaps"] == by_place[:3]
    ended = succeed("diff", *models, text)
    heading, *rows, total = ended.out.decode().splitlines()
    assert heading.split() == ["place", "a", "b", "difference", "token"]
    assert [float(row.split()[3]) for row in rows] == pytest.approx(
        [gap["difference"] for gap in by_gap[:20]], abs=5e-5
    )
    assert total.split()[0] == "all"
    assert f"{len(by_gap) - 20} smaller differences left out: -n {len(by_gap)} shows all" in ended.err
    shown = succeed("diff", *models, text, "--sort", "place").out.decode().splitlines()
    assert [row.split()[0] for row in shown[1:-1]] == [str(gap["place"]) for gap in by_place]
    assert shown[-2].endswith("<EOS>")


def test_words_and_characters_are_laid_side_by_side(prose: Trained) -> None:
    Path("text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", "text.txt", "--level", "word", "--min-count", 1, "--model", "words", *QUICK, "--steps", 20)
    ended = succeed("diff", "words", prose.folder, "winter bridge.", "--json", "--sort", "place")
    found = ended.json
    assert [gap["text"] for gap in found["gaps"]] == ["winter", " bridge", ".", ""]
    assert [gap["tokens_a"] for gap in found["gaps"]] == [1, 1, 1, 1]
    assert [gap["tokens_b"] for gap in found["gaps"]] == [6, 7, 1, 1]
    assert not found["by_token"]
    assert "cut the text differently" in ended.err
    whole = succeed("score", "winter bridge.", "-m", prose.folder, "--json").json
    assert found["logprob_b"] == pytest.approx(whole["logprob"], rel=1e-5)


def test_where_the_text_comes_from_makes_no_difference(names: Trained, prose: Trained) -> None:
    models = (f"a={names.folder}", f"b={prose.folder}")
    Path("text.txt").write_bytes(b"bana\r\nna\n")
    expected = succeed("diff", *models, "bana\nna", "--json").out
    assert succeed("diff", *models, "--file", "text.txt", "--json").out == expected
    assert succeed("diff", *models, "--json", stdin=b"bana\nna\n").out == expected
    assert "--file text.txt" in succeed("diff", *models, "text.txt").err


def test_strange_texts(names: Trained, prose: Trained, octets: Trained) -> None:
    texts = ("", "\n", "a\0b", EMOJI, "\u05e9\u05dc\u05d5\u05dd", "\ud800", " a ", "\x1b[31m", "\u0130\u0301")
    for a, b in ((names, prose), (prose, octets), (octets, octets)):
        for text in texts:
            models = (f"a={a.folder}", f"b={b.folder}", "--", text)
            assert "".join(
                gap["text"] for gap in succeed("diff", "--sort", "place", "--json", *models).json["gaps"]
            ) == (text.removesuffix("\n"))
            assert "\x1b" not in succeed("diff", *models).out.decode("utf-8", "surrogateescape")
    ended = succeed("diff", f"a={names.folder}", f"b={prose.folder}", EMOJI)
    assert "a does not know 1 token" in ended.err
    assert "b does not know 1 token" in ended.err
    assert "[unknown]" in ended.out.decode()


def test_a_long_text(names: Trained, prose: Trained) -> None:
    Path("long.txt").write_text(prose_text(300), encoding="utf-8")
    models = (f"a={names.folder}", f"b={prose.folder}")
    found = succeed("diff", *models, "-f", "long.txt", "--json", "--sort", "place").json
    assert "".join(gap["text"] for gap in found["gaps"]) + "\n" == prose_text(300)
    shown = succeed("diff", *models, "-f", "long.txt").out.decode().splitlines()
    assert len(shown) == 22
    assert max(map(len, shown)) < 200


def test_wrong_usage(names: Trained, prose: Trained) -> None:
    models = (f"a={names.folder}", f"b={prose.folder}")
    for arguments, mentioned in (
        ((names.folder,), "charlm diff --help"),
        ((names.folder, prose.folder, "x"), "two models are called 'model'"),
        ((*models, "x", "--file", "y"), "not both"),
        ((*models, "x", "--sort", "size"), "gap, place"),
        ((*models, "x", "-n", 0), "-n is 0"),
    ):
        one_message(call("diff", *arguments), 2, mentioned)
    one_message(call("diff", models[0], "missing", "x"), 4, "missing")
    one_message(call("diff", *models, "--file", "missing.txt"), 3, "missing.txt")


def test_colours_can_be_forced(names: Trained, prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no terminal shows the results, as with ``charlm score --color``; NO_COLOR goes first."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    words = ("diff", f"a={names.folder}", f"b={prose.folder}", "banana river")
    plain = succeed(*words).out
    assert b"\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.sub(rb"\x1b\[\d+m", b"", succeed(*words).out) == plain
    assert b"\x1b[32m" in succeed(*words).out
    assert b"\x1b" not in succeed(*words, "--json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert succeed(*words).out == plain


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_shows_colours(variables: dict[str, str], coloured: bool, names: Trained, prose: Trained) -> None:
    import pty  # noqa: PLC0415 - only there is on POSIX

    plain = {key: value for key, value in environment().items() if key != "NO_COLOR"}
    master, slave = pty.openpty()
    try:
        ended = process(
            "diff", f"a={names.folder}", f"b={prose.folder}", "banana river", "--sort", "place",
            stdout=slave, env={**plain, "TERM": "xterm", **variables},
        )  # fmt: skip
        assert ended.status == 0, ended.err
        written = os.read(master, 1 << 16).decode()
    finally:
        os.close(master)
        os.close(slave)
    rows = written.splitlines()[1:-1]
    assert len(rows) == 13
    for row in rows:
        difference = float(row.split()[3])
        colour = "\x1b[32m" if difference > 0 else "\x1b[35m"
        assert (colour in row) == (coloured and abs(difference) >= 0.1), row
        assert ("\x1b" in row) == (colour in row)
