"""``charlm tag``: taggers trained, applied and judged."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import Ended, Running, Trained, call, environment, one_message, succeed, words
from tag_cases import NAMES, TAGGER, column_text, sentences, write_columns

from charlm.labels.columns import read_columns
from charlm.text.sources import find_texts


def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have standard output be a terminal."""
    monkeypatch.setattr("charlm.cli.tag_output.is_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")


def lines_of(ended: Ended) -> list[str]:
    return ended.out.decode().splitlines()


def test_training_says_what_it_found_and_shows_sentences(tmp_path: Path) -> None:
    corpus = write_columns(tmp_path / "names.conll")
    ended = succeed("tag", "train", corpus, "--model", "model", *TAGGER[:-1], "--steps", 40, "--lr", 0.02)
    assert "training on 108 sentences, " in ended.err
    assert re.search(r"3 labels: O [\d,]+, B-PER \d+, I-PER \d+, entities as BIO", ended.err)
    assert re.search(r"validation [\d.]+ nats a label \([\d.]+ bits\), [\d.]+% right", ended.err)
    assert re.search(r"^    (Teddy|Rose|Mark|May|Olive|Frank)", ended.err, re.MULTILINE)
    assert re.fullmatch(r"model: validation [\d.]+ nats a label \([\d.]+ bits\) at step \d+\n", ended.out.decode())


def test_a_sentence_is_cut_as_the_word_level_cuts_it(tagger: Trained) -> None:
    found = succeed("tag", "apply", "Teddy Miller was nice.", "--model", tagger.folder)
    assert [line.split("\t")[0] for line in lines_of(found)] == ["Teddy", "Miller", "was", "nice", ".", ""]
    assert found.out.startswith(b"Teddy\tB-PER\nMiller\tI-PER\nwas\tO\n")


def test_what_follows_decides(tagger: Trained) -> None:
    """That is what reading both ways is for."""
    found = succeed("tag", "apply", "--model", tagger.folder, *(f"{name} was." for name in NAMES))
    assert [line for line in lines_of(found) if line.startswith(NAMES)] == [f"{name}\tB-PER" for name in NAMES]
    found = succeed("tag", "apply", "--model", tagger.folder, *(f"{name} bears fell." for name in NAMES))
    assert [line for line in lines_of(found) if line.startswith(NAMES)] == [f"{name}\tO" for name in NAMES]


def test_json_has_labels_probabilities_and_entities(tagger: Trained) -> None:
    typed = "Rose Miller said."
    found = succeed("tag", "apply", typed, "--format", "json", "--model", tagger.folder).json
    assert found["tokens"] == ["Rose", "Miller", "said", "."]
    assert found["labels"] == ["B-PER", "I-PER", "O", "O"]
    assert all(1 / 3 < share <= 1 for share in found["probabilities"])
    assert found["entities"] == [{"type": "PER", "begin": 0, "end": 2, "text": "Rose Miller"}]


def test_entities_stand_in_brackets_and_in_colours_only_where_these_are_seen(
    tagger: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ("tag", "apply", "Rose Miller said.", "--model", tagger.folder)
    assert succeed(*line, "--format", "color").out == b"[Rose Miller PER] said.\n"
    colored = b"\x1b[32m[Rose Miller PER]\x1b[0m said.\n"
    assert succeed(*line, "--format", "color", "--color").out == colored
    terminal(monkeypatch)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert succeed(*line).out == colored
    assert succeed(*line, "--no-color").out == b"[Rose Miller PER] said.\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert succeed(*line).out == b"[Rose Miller PER] said.\n"


def test_a_text_commands_no_terminal(tagger: Trained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is written to a file is what was read."""
    (tmp_path / "evil.conll").write_text("\x1b[2J\nwas\n")
    assert b"\x1b[2J\t" in succeed("tag", "apply", "evil.conll", "--model", tagger.folder).out
    terminal(monkeypatch)
    for form in ("columns", "json", "color"):
        for meant in ("evil.conll", "\x1b[2J\x07 was"):
            written = succeed("tag", "apply", meant, "--format", form, "--no-color", "--model", tagger.folder).out
            assert not set(written) & {0x1B, 0x07}


def test_labels_become_the_last_column(tagger: Trained, tmp_path: Path) -> None:
    """Whatever columns there are; what is written can be read again."""
    found = sentences(30, seed=9)
    (tmp_path / "more.conll").write_text(
        "\n".join("".join(f"{word} x {label}\n" for word, label in each) for each in found)
    )
    ended = succeed("tag", "apply", "more.conll", "--model", tagger.folder)
    (tmp_path / "out.conll").write_bytes(ended.out)
    columns = read_columns(find_texts(["out.conll"]))
    assert len(columns) == len(found)
    assert columns.words.strings() == [word for each in found for word, _ in each]
    assert ended.out.decode().splitlines()[0].split("\t")[:3] == [found[0][0][0], "x", found[0][0][1]]


def test_all_ways_to_give_a_sentence_are_one(tagger: Trained, tmp_path: Path) -> None:
    typed = succeed("tag", "apply", "Rose Miller said .", "--model", tagger.folder).out
    column = b"Rose\r\nMiller\r\nsaid\r\n.\r\n"
    (tmp_path / "words.conll").write_bytes(column)
    (tmp_path / "text.txt").write_text("\n\nRose Miller said.\n")
    ways = (
        succeed("tag", "apply", "words.conll", "--model", tagger.folder),
        succeed("tag", "apply", "-", "--model", tagger.folder, stdin=column),
        succeed("tag", "apply", "--model", tagger.folder, stdin=column),
        succeed("tag", "apply", "--text", "text.txt", "--model", tagger.folder),
        succeed("tag", "apply", "--text", "--model", tagger.folder, stdin=b"Rose Miller said."),
    )
    assert [way.out for way in ways] == [typed] * len(ways)


def test_a_pipe_is_answered_sentence_by_sentence(tagger: Trained) -> None:
    command = words("tag", "apply", "-", "--model", tagger.folder)
    with Running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for _ in range(3):
            running.stdin.write(b"Teddy\nwas\n\n")
            running.stdin.flush()
            # Were it not answered before more comes, this would wait for ever.
            assert [running.stdout.readline() for _ in range(3)] == [b"Teddy\tB-PER\n", b"was\tO\n", b"\n"]
        running.stdin.close()
        assert running.stdout.read() == b""
        assert running.wait() == 0


def test_a_file_of_many_blocks_is_tagged_as_a_whole(tagger: Trained, tmp_path: Path) -> None:
    """However a file is cut into blocks, and sentences into batches, each gets the labels that it gets alone."""
    found = sentences(9000, seed=4)
    (tmp_path / "large.conll").write_text(column_text(found))
    assert (tmp_path / "large.conll").stat().st_size > 3 << 16
    written = succeed("tag", "apply", "large.conll", "--model", tagger.folder).out.decode().split("\n\n")
    assert len(written) == len(found) + 1
    alone: dict[str, str] = {}
    for sentence, got in zip(found, written, strict=False):
        text = " ".join(word for word, _ in sentence)
        assert alone.setdefault(text, got) == got
    for text, got in list(alone.items())[:5]:
        labels = [line.split("\t")[-1] for line in got.split("\n")]
        assert succeed("tag", "apply", text, "--model", tagger.folder, "--format", "json").json["labels"] == labels


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a process does not know its peak")
def test_tagging_takes_no_more_memory_for_a_larger_file(tagger: Trained, tmp_path: Path) -> None:
    code = """
import re, sys
from pathlib import Path
from charlm.cli.app import outcome
sys.stdout = open("/dev/null", "w")
assert outcome(sys.argv[1:]) == ("", 0)
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""
    peaks = []
    for number in (9_000, 60_000):
        (tmp_path / "some.conll").write_text(column_text(sentences(3000)) * (number // 3000))
        line = [sys.executable, "-c", code, "tag", "apply", "some.conll", "--model", str(tagger.folder)]
        ended = subprocess.run(line, env=environment(), capture_output=True, check=True, timeout=120)
        peaks.append(int(ended.stderr.splitlines()[-1]))
    assert peaks[1] < peaks[0] + 4_000


def test_plain_labels_stand_below_their_words(tmp_path: Path) -> None:
    """As in a drawing of such a network: y below x."""
    plain = [[(word, str(int(label != "O"))) for word, label in sentence] for sentence in sentences()]
    (tmp_path / "plain.conll").write_text(column_text(plain))
    ended = succeed("tag", "train", "plain.conll", *TAGGER[:-1], "--steps", 120, "--lr", 0.02, "--dropout", 0)
    assert "2 labels: 0 " in ended.err
    assert "entities as" not in ended.err
    shown = succeed("tag", "apply", "Teddy Miller was", "--format", "color")
    assert shown.out == b"Teddy Miller was\n1     1      0  \n"
    assert b"entities" not in succeed("tag", "eval", "--json").out
    assert "macro F1" in succeed("tag", "eval").out.decode()


def test_judging(tagger: Trained, tmp_path: Path) -> None:
    """Figures by hand: one name of three is found with the right end, and one is found that is none."""
    (tmp_path / "held.conll").write_text(
        "Rose\tB-PER\nsaid\tO\n\nMark\tB-PER\nMiller\tO\nsaid\tO\n\nMay\tB-PER\nbears\tO\nfell\tO\n\nStrange\tO\n.\tO\n"
    )
    found = succeed("tag", "eval", "held.conll", "--json", "--model", tagger.folder).json
    assert found["sentences"] == 4
    assert found["tokens"] == 10
    assert found["unknown"] == 1
    overall = found["entities"]["overall"]
    assert (overall["true"], overall["correct"]) == (3, 1)
    assert overall["recall"] == pytest.approx(1 / 3)
    assert found["entities"]["by_type"]["PER"] == overall
    assert found["labels"]["I-PER"]["recall"] == 0
    wrong = 10 * (1 - found["accuracy"])
    assert wrong == pytest.approx(2 + (overall["predicted"] == 3), abs=1e-9)


def test_judging_its_own_validation_part_gives_the_figures_of_training(tagger: Trained) -> None:
    own = succeed("tag", "eval", "--json", "--model", tagger.folder)
    assert "evaluating the validation part of" in own.err
    best = succeed("info", "--json", "--model", tagger.folder).json["record"]["valid_nats_per_token"]
    assert own.json["nats_per_label"] == pytest.approx(best, rel=1e-6)
    logged = [json.loads(line) for line in (tagger.folder / "log.jsonl").read_bytes().splitlines()]
    last = [each["valid"] for each in logged if each["event"] == "validation" and each["best"]][-1]
    assert own.json["accuracy"] == pytest.approx(last["right"] / last["tokens"])
    assert own.json["tokens"] == last["tokens"]


def test_several_files_are_judged_each_and_all(tagger: Trained, tmp_path: Path) -> None:
    first, second = write_columns(tmp_path / "a.conll", 20, 3), write_columns(tmp_path / "b.conll", 30, 4)
    all_, one, other = (
        succeed("tag", "eval", *files, "--json", "--model", tagger.folder).json
        for files in ((first, second), (first,), (second,))
    )
    assert [each.pop("file") for each in all_["files"]] == [str(first), str(second)]
    assert all_["files"] == [one, other]
    assert all_["tokens"] == one["tokens"] + other["tokens"]
    assert all_["entities"]["overall"]["true"] == sum(each["entities"]["overall"]["true"] for each in (one, other))
    said = succeed("tag", "eval", first, second, "--model", tagger.folder).out.decode()
    assert f"  {second}: accuracy" in said


def test_words_that_training_lacks_are_counted_apart(tagger: Trained, tmp_path: Path) -> None:
    (tmp_path / "new.conll").write_text("Zyx\tB-PER\nsaid\tO\n.\tO\n")
    found = succeed("tag", "eval", "new.conll", "--json", "--model", tagger.folder).json
    assert found["unknown"] == 1
    assert found["unknown_accuracy"] in (0.0, 1.0)
    assert succeed("tag", "eval", tagger.corpus, "--json", "--model", tagger.folder).json["unknown_accuracy"] is None


def test_info_says_what_it_is_and_repeats_it(tagger: Trained) -> None:
    said = succeed("info", "--model", tagger.folder).out.decode()
    assert "kind           tagger" in said
    assert re.search(r"labels         3, entities as BIO\n  O +\d+\n  B-PER +\d+\n  I-PER +\d+\n", said)
    again = said.splitlines()[-1].removeprefix("again ").split()
    assert again[:3] == ["charlm", "tag", "train"]
    succeed(*again[1:], "--model", "again", "--quiet")
    assert Path("again/model.safetensors").read_bytes() == tagger.file.read_bytes()
    found = succeed("info", "--json", "--model", tagger.folder).json
    assert found["kind"] == "tagger"
    assert [each["label"] for each in found["labels"]] == ["O", "B-PER", "I-PER"]


def test_histories_know_taggers(tagger: Trained, names: Trained) -> None:
    said = succeed("history", tagger.folder, names.folder, "--no-chart").out.decode()
    assert "tagger: lstm" in said
    assert "a token, or a label of taggers" in said
    assert "losses compare within a group" in said
    (alone,) = succeed("history", tagger.folder, "--json").json
    assert alone["kind"] == "tagger"
    assert alone["best"]["bits_per_char"] is None
    assert not alone["problems"]


OTHER_COMMANDS = [
    ("sample",),
    ("score", "abc"),
    ("next",),
    ("eval",),
    ("explain", "a"),
    ("gradients", "abcdef"),
    ("export", "--to", "pytorch", "out"),
    ("vocab",),
]


@pytest.mark.parametrize("command", OTHER_COMMANDS, ids=lambda command: command[0])
def test_other_commands_say_what_a_tagger_is_for(command: tuple[str, ...], tagger: Trained) -> None:
    one_message(call(*command, "--model", tagger.folder), 4, "is a tagger", "charlm tag apply")


def test_what_is_no_tagger_is_named(names: Trained, tagger: Trained) -> None:
    for command in (("tag", "apply", "Rose said"), ("tag", "eval")):
        one_message(call(*command, "--model", names.folder), 4, "is a language model", "charlm sample")
    one_message(call("train", names.corpus, "--from", tagger.folder), 4, "is a tagger")
    one_message(call("tag", "train", "--resume", "--model", names.folder), 4, "tagger")
    one_message(call("train", "--resume", "--model", tagger.folder), 4, "run of a tagger, not of a language model")


def test_each_command_takes_the_newest_model_of_its_kind(names: Trained, tagger: Trained) -> None:
    one_message(call("tag", "apply", "Rose"), 4, "no tagger under runs/", "charlm tag train")
    for number, source in enumerate((names, tagger, names, tagger)):
        folder = Path("runs", f"run{number}")
        folder.mkdir(parents=True)
        for file in ("model.safetensors", "training.safetensors"):
            (folder / file).write_bytes((source.folder / file).read_bytes())
            os.utime(folder / file, (number, number))
    assert "using runs/run3, the newest tagger" in succeed("tag", "apply", "Rose").err
    assert "using runs/run2, the newest model" in succeed("sample", "--length", 2).err
    assert "using runs/run3, the newest model" in succeed("info").err
    assert "going on with runs/run2, the last run" in call("train", "--resume").err
    assert "going on with runs/run3, the last run of a tagger" in call("tag", "train", "--resume").err
