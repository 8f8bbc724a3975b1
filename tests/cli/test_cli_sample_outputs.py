"""``charlm sample``: what beams find, the same from Python and under labels, and work that takes long."""

import json
import math
import os
import subprocess
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, environment, one_message, succeed, words
from sample_cases import drawn, objects

import charlm


def test_beams_find_the_likeliest_in_order(names: Trained) -> None:
    """With log-probabilities that are those of ``score``, as a table or objects; one alone is its text."""
    found = succeed("sample", "--model", names.folder, "--beams", 12, "-n", 5, "--jsonl", "--length-penalty", 0).objects
    assert [one["index"] for one in found] == [0, 1, 2, 3, 4]
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)
    for one in found:
        assert one["score"] == pytest.approx(one["logprob"])
        scored = succeed("score", "--model", names.folder, "--json", "--", one["text"].strip()).json
        assert one["logprob"] == pytest.approx(scored["logprob"], abs=1e-3)
    table = succeed("sample", "--model", names.folder, "--beams", 12, "-n", 5, "--length-penalty", 0).out.decode()
    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["nats", "score", "text"]
    assert [row[2] for row in rows[1:]] == [one["text"].strip() or '""' for one in found]
    alone = succeed("sample", "--model", names.folder, "--beams", 12, "--length-penalty", 0).out.decode()
    assert alone == found[0]["text"]
    drawn_ones = objects(names, "-n", 100)
    likeliest = max(float(str(one["logprob"])) for one in drawn_ones)
    assert found[0]["logprob"] >= likeliest - 1e-6


def test_beams_keep_to_bans_ends_and_prompts(names: Trained, wordy: Trained) -> None:
    options = ("--beams", 6, "-n", 4, "--jsonl")
    for one in succeed("sample", "--model", names.folder, *options, "--ban", "ai", "-p", "ba", "-p", "k").objects:
        assert not set("ai") & set(one["text"].removeprefix("ba"))
    found = succeed("sample", "--model", wordy.folder, *options, "--stop", "en").objects
    assert {one["text"][-2:] for one in found} == {"en"}
    groups = ("--beam-groups", 3, "--diversity", 2)
    first = {one["text"][0] for one in succeed("sample", "--model", names.folder, *options, *groups).objects}
    assert len(first) >= 3


def test_the_same_from_python(names: Trained, wordy: Trained) -> None:
    model = charlm.load(names.folder)
    options: charlm.SampleOptions = {"top_p": 0.9, "ban": ["a"], "temperature": 0.8}
    typed = ("--top-p", 0.9, "--ban", "a", "--temperature", 0.8)
    texts = model.sample(10, seed=1, prompt=["ba", "k"], **options)
    assert "".join(texts) == drawn(names, "-n", 10, "-p", "ba", "-p", "k", *typed)
    records = list(model.samples(10, seed=1, prompt=["ba", "k"], alternatives=3, **options))
    assert [each.text for each in records] == texts
    for each in records:
        details = each.drawn.details
        assert details is not None
        assert details.best.shape == (len(each.drawn.ids), 3)
        assert each.logprob == pytest.approx(float(details.logprobs.sum()))
        assert (details.best_logprobs[:, 0] >= details.logprobs).all()
    found = charlm.load(wordy.folder).beams(3, beams=6, stop=["."], prompt="The river")
    assert [each.text.endswith(".") for each in found] == [True] * 3
    assert found[0].score is not None
    assert math.isfinite(found[0].score)
    with pytest.raises(charlm.CharlmError, match="--top-p"):
        model.sample(top_p=2)


def test_labels_go_with_every_option(tmp_path: Path) -> None:
    corpus = tmp_path / "labelled.txt"
    corpus.write_text("".join(f"low\t{'ab' * 3}\nhigh\t{'yz' * 3}\n" for _ in range(80)))
    succeed("train", corpus, "--labels", "--model", "labelled", *QUICK, "--steps", 120, "--lr", 0.02)
    for label, letters in (("low", "ab"), ("high", "yz")):
        options = ("--model", "labelled", "--label", label)
        text = succeed("sample", *options, "-n", 9, "--seed", 1, "--top-p", 0.9, "--ban", letters[1]).out.decode()
        assert text.count(letters[0]) > 20
        assert letters[1] not in text
        [best] = succeed("sample", *options, "--beams", 4, "--jsonl").objects
        assert best["text"].strip() == letters * 3
    one_message(call("sample", "--model", "labelled", "--beams", 4), 2, "--label")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_long_work_shows_a_bar_on_a_terminal_and_nowhere_else(names: Trained) -> None:
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 200))
    command = words("sample", "--model", names.folder, "-n", 300, "--seed", 1)
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=slave, check=True, timeout=120)
    shown = os.read(master, 1 << 16).decode()
    os.close(slave)
    os.close(master)
    assert "/300" in shown
    assert "samples" in shown
    assert done.stdout.decode() == drawn(names, "-n", 300)
    assert succeed("sample", "--model", names.folder, "-n", 300, "--seed", 1).err == ""


def test_a_million_samples_begin_at_once(names: Trained) -> None:
    """They come in order as they are drawn; a reader that has enough ends the command."""
    command = words("sample", "--model", names.folder, "-n", 1_000_000, "--seed", 1, "--jsonl")
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        for index in range(200):
            assert json.loads(running.stdout.readline())["index"] == index
        running.stdout.close()
        assert running.wait(timeout=60) == 0
