"""``charlm score`` and ``charlm eval``: what the numbers are, checked against the equations themselves."""

import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, Trained, call, names_text, one_message, process, prose_text, succeed
from safetensors.numpy import load_file

KEYS = {
    "text", "tokens", "logprob", "logprob_without_eos", "oov", "logprob_without_oov", "bits", "bits_per_token",
    "perplexity", "characters", "bytes", "words", "unk_vocabulary", "bits_per_char", "bits_per_byte", "word_perplexity",
}  # fmt: skip
END = "<EOS>"
TOKEN_KEYS = {"token", "logprob", "rank", "entropy", "unknown"}


def sigmoid(z: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def recomputed(file: Path, text: str) -> list[float]:
    """Log-probability of every token of a text that ends in a line break, from the equations and the file alone."""
    tensors = {name: tensor.astype(np.float64) for name, tensor in load_file(file).items() if "vocab" not in name}
    arrays = load_file(file)
    data, offsets = arrays["vocabulary.data"].tobytes(), arrays["vocabulary.offsets"]
    tokens = [data[a:b].decode() for a, b in pairwise(offsets)]
    ids = {token: number for number, token in enumerate(tokens)} | {"\n": 0}
    layers = len({name.split(".")[1] for name in tensors if name.startswith("layers.")})
    a = [np.zeros(len(tensors[f"layers.{k}.b_f"])) for k in range(layers)]
    c = [np.zeros_like(each) for each in a]
    x, logprobs = np.zeros(tensors["embedding"].shape[1]), []
    for character in text:
        for k in range(layers):
            w = {name.removeprefix(f"layers.{k}."): tensors[name] for name in tensors}
            f, u, o, z = (w[f"W_{g}a"] @ a[k] + w[f"W_{g}x"] @ x + w[f"b_{g}"] for g in "fuoc")
            c[k] = sigmoid(u) * np.tanh(z) + sigmoid(f) * c[k]
            x = a[k] = sigmoid(o) * np.tanh(c[k])
        y = tensors["head.W_y"] @ x + tensors["head.b_y"]
        target = ids.get(character, 1)
        logprobs.append(float(y[target] - y.max() - np.log(np.exp(y - y.max()).sum())))
        x = tensors["embedding"][target]
    return logprobs


def test_a_stream_costs_the_same_by_every_way(prose: Trained) -> None:
    """Eval in one lane is the sum over the whole text's tokens, which is what the equations say."""
    cost = succeed("eval", prose.corpus, "--model", prose.folder, "--exact", "--json").json
    whole = succeed("score", "--file", prose.corpus, "--whole", "--per-token", "--json", "--model", prose.folder).json
    expected = recomputed(prose.file, prose.corpus.read_text())
    assert cost["tokens"] == whole["tokens"] == len(expected)
    assert sum(token["logprob"] for token in whole["per_token"]) == pytest.approx(sum(expected), rel=1e-5)
    assert cost["nats_per_token"] * cost["tokens"] == pytest.approx(-sum(expected), rel=1e-5)
    np.testing.assert_allclose([token["logprob"] for token in whole["per_token"]], expected, rtol=1e-3, atol=1e-4)


def test_independent_lines_cost_the_same_by_every_way(names: Trained) -> None:
    cost = succeed("eval", names.corpus, "--model", names.folder, "--json").json
    scores = succeed("score", "--file", names.corpus, "--json", "--model", names.folder).objects
    lines = names.corpus.read_text().splitlines(keepends=True)
    expected = [sum(recomputed(names.file, line)) for line in lines]
    assert [each["text"] + "\n" for each in scores] == lines
    np.testing.assert_allclose([each["logprob"] for each in scores], expected, rtol=1e-5)
    assert cost["nats_per_token"] * cost["tokens"] == pytest.approx(-sum(expected), rel=1e-5)
    assert cost["tokens"] == sum(each["tokens"] for each in scores)


def test_lanes_cost_nearly_what_one_lane_costs(prose: Trained, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(prose_text(400))
    costs = [
        succeed("eval", "long.txt", "--model", prose.folder, "--json", *exact).json["nats_per_token"]
        for exact in ((), ("--exact",))
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)


def test_the_units_of_a_cost_agree(prose: Trained, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("rivér\n" * 30)
    cost = succeed("eval", "text.txt", "--model", prose.folder, "--json").json
    bits = cost["bits_per_token"] * cost["tokens"]
    assert cost["bits_per_token"] == pytest.approx(cost["nats_per_token"] / math.log(2))
    assert cost["bits_per_char"] == pytest.approx(bits / 180)
    assert cost["bits_per_byte"] == pytest.approx(bits / 210)
    assert cost["perplexity"] == pytest.approx(math.exp(cost["nats_per_token"]))
    assert cost["oov"] == 30
    shown = succeed("eval", "text.txt", "--model", prose.folder).out.decode()
    assert f"{cost['nats_per_token']:.4f}" in shown
    assert f"{cost['nats_per_token_without_oov']:.4f}" in shown


def test_a_text_costs_the_same_in_every_unit(prose: Trained) -> None:
    """The line break at its end is a character, a byte, and a word to predict."""
    score = succeed("score", "--model", prose.folder, "--json", "rivér sea").json
    assert (score["characters"], score["bytes"], score["words"]) == (10, 11, 3)
    nats = -score["logprob"]
    assert score["bits_per_char"] == pytest.approx(nats / 10 / math.log(2))
    assert score["bits_per_byte"] == pytest.approx(nats / 11 / math.log(2))
    assert score["word_perplexity"] == pytest.approx(math.exp(nats / 3))


def test_unknown_words_share_the_probability_of_unk(prose: Trained, tmp_path: Path) -> None:
    text = "rivér é"
    alone, shared = (
        succeed("score", "--model", prose.folder, "--json", "--per-token", *options, text).json
        for options in ((), ("--unk-vocabulary", 50))
    )
    assert alone["oov"] == 2
    assert shared["logprob"] == pytest.approx(alone["logprob"] - 2 * math.log(50))
    assert shared["logprob_without_oov"] == pytest.approx(alone["logprob_without_oov"])
    assert shared["logprob"] == pytest.approx(sum(token["logprob"] for token in shared["per_token"]))
    assert shared["unk_vocabulary"] == 50
    (tmp_path / "text.txt").write_text(text + "\n")
    cost = succeed("eval", "text.txt", "--model", prose.folder, "--json", "--unk-vocabulary", 50).json
    assert cost["nats_per_token"] * cost["tokens"] == pytest.approx(-shared["logprob"])
    shown = succeed("score", "--model", prose.folder, "--unk-vocabulary", 50, text)
    assert "50 share the probability of <UNK>" in shown.err
    one_message(call("score", "--model", prose.folder, "--unk-vocabulary", 0, "x"), 2, "--unk-vocabulary is 0")


def test_every_line_is_answered_at_once(prose: Trained) -> None:
    """The next line is only sent when the answer to the one before has come."""
    command = [sys.executable, "-m", "charlm", "score", "--serve", "--model", str(prose.folder), "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as served:
        assert served.stdin is not None
        assert served.stdout is not None
        for text in ("the sea", "", "\0 \U0001f600", "שלום"):
            served.stdin.write(text.encode() + b"\n")
            served.stdin.flush()
            answer = json.loads(served.stdout.readline())
            assert answer["text"] == text
            expected = succeed("score", "--model", prose.folder, "--json", stdin=text.encode() + b"\n").json
            assert answer["logprob"] == pytest.approx(expected["logprob"], rel=1e-5)
        served.stdin.close()
        assert served.wait() == 0


def test_plain_answers_have_three_fields(prose: Trained) -> None:
    ended = succeed("score", "--serve", "--model", prose.folder, stdin="river\nrivér\n".encode())
    rows = [line.split("\t") for line in ended.out.decode().splitlines()]
    assert [row[1:] for row in rows] == [["6", "0"], ["6", "1"]]
    assert all(float(row[0]) < 0 for row in rows)
    one_message(call("score", "--serve", "--model", prose.folder, "a text"), 2, "--serve answers the lines")


def test_a_line_that_is_not_in_the_encoding_is_answered_too(prose: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its number and what is wrong; the lines around it as ever. Where text is on the disk, too."""
    lines = "river\nr\xefver\n\xe9\xff\nwinter\n".encode("latin-1")
    plain = [
        line.split("\t")
        for line in succeed("score", "--model", prose.folder, "--serve", stdin=lines).out.decode().splitlines()
    ]
    whole = succeed("score", "--model", prose.folder, "--serve", stdin=b"river\nwinter\n").out.decode().splitlines()
    assert ["\t".join(plain[0]), "\t".join(plain[3])] == whole
    assert plain[1:3] == [
        ["error", f"line {line} is not valid utf-8: byte 0x{byte}"] for line, byte in ((2, "ef"), (3, "e9"))
    ]
    for length in (1 << 20, 3):
        monkeypatch.setattr("charlm.text.inputs.LONGEST", length)
        found = succeed("score", "--model", prose.folder, "--serve", "--json", stdin=lines + b"rive\xe9").objects
        assert [each.get("text") for each in found] == ["river", None, None, "winter", None]
        assert found[1:3] == [
            {"line": line, "error": f"not valid utf-8: byte 0x{byte}"} for line, byte in ((2, "ef"), (3, "e9"))
        ]
        assert found[4] == {"line": 5, "error": "not valid utf-8: byte 0xe9"}
    known = succeed("score", "--model", prose.folder, "--serve", "--json", "--encoding", "latin-1", stdin=lines).objects
    assert [each["text"] for each in known] == ["river", "r\xefver", "\xe9\xff", "winter"]
    one_message(call("score", "--model", prose.folder, stdin=lines), 3, "not valid utf-8")


@pytest.mark.parametrize("text", [names_text, prose_text])
@pytest.mark.parametrize("options", ["", "--level byte", "--seed 5", "--valid-fraction 0.3"])
def test_eval_without_a_file_repeats_the_best_validation(text: Any, options: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(text())
    succeed("train", "text.txt", "--model", "model", *QUICK, "--steps", 20, *options.split())
    log = [json.loads(line) for line in Path("model/log.jsonl").read_text().splitlines()]
    best = [entry for entry in log if entry["event"] == "validation" and entry["best"]][-1]
    ended = succeed("eval", "--model", "model", "--json")
    assert "text.txt" in ended.err
    assert ended.json["nats_per_token"] == best["valid_nats_per_token"]
    assert ended.json["tokens"] == best["valid"]["tokens"]
    assert (
        succeed("info", "--model", "model", "--json").json["record"]["valid_nats_per_token"]
        == best["valid_nats_per_token"]
    )


def test_eval_with_a_validation_file(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(prose_text())
    (tmp_path / "valid.txt").write_text(prose_text(90)[-900:])
    succeed("train", "text.txt", "--valid", "valid.txt", "--model", "model", *QUICK, "--steps", 5)
    ended = succeed("eval", "--model", "model", "--json")
    assert "valid.txt" in ended.err
    assert ended.json == succeed("eval", "valid.txt", "--model", "model", "--json").json


def test_eval_without_a_file_needs_the_corpus_as_it_was(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(prose_text())
    succeed("train", text, "--model", "model", *QUICK, "--steps", 2)
    text.write_text(prose_text() + "more\n")
    changed = call("eval", "--model", "model")
    assert changed.status == 3
    assert "changed" in changed.err.splitlines()[-1]
    text.unlink()
    one_message(call("eval", "--model", "model"), 3, text, "charlm eval FILE")


def test_eval_of_what_is_no_text(prose: Trained, names: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "blank.txt").write_text("\n\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    one_message(call("eval", "missing.txt", "--model", prose.folder), 3, "missing.txt")
    (tmp_path / "folder").mkdir()
    one_message(call("eval", "folder", "--model", prose.folder), 3, "folder", "without any text")
    one_message(call("eval", "empty.txt", "--model", prose.folder), 3, "empty.txt is empty")
    one_message(call("eval", "blank.txt", "--model", names.folder), 3, "blank")
    one_message(call("eval", "latin.txt", "--model", prose.folder), 3, "latin.txt", "offset 3", "--encoding")
    assert succeed("eval", "latin.txt", "--model", prose.folder, "--encoding", "latin-1", "--json").json["tokens"] == 5


def test_the_keys_of_a_score(names: Trained) -> None:
    plain = succeed("score", "banana", "--model", names.folder, "--json").json
    assert set(plain) == KEYS
    full = succeed("score", "banana", "--model", names.folder, "--json", "--per-token").json
    assert set(full) == KEYS | {"per_token"}
    assert [set(token) for token in full["per_token"]] == [TOKEN_KEYS] * 7
    assert [token["token"] for token in full["per_token"]] == [*"banana", "<EOS>"]
    assert (plain["text"], plain["tokens"], plain["oov"]) == ("banana", 7, 0)
    assert plain["logprob_without_oov"] == plain["logprob"]
    assert full["logprob"] == pytest.approx(plain["logprob"], rel=1e-6)


def test_a_score_is_the_sum_of_its_tokens(names: Trained) -> None:
    for score in succeed("score", "banana", "", "xyz 123", "--model", names.folder, "--json", "--per-token").objects:
        logprobs = [token["logprob"] for token in score["per_token"]]
        assert score["logprob"] == pytest.approx(sum(logprobs), rel=1e-12)
        assert score["logprob_without_eos"] == pytest.approx(sum(logprobs[:-1]), rel=1e-12, abs=1e-12)
        assert score["bits_per_token"] == pytest.approx(-sum(logprobs) / len(logprobs) / math.log(2))
        assert score["perplexity"] == pytest.approx(math.exp(-sum(logprobs) / len(logprobs)))
        unknown = [token["logprob"] for token in score["per_token"] if token["unknown"]]
        assert score["oov"] == len(unknown)
        assert score["logprob_without_oov"] == pytest.approx(sum(logprobs) - sum(unknown))
        for token in score["per_token"]:
            assert 1 <= token["rank"] <= 60
            assert 0 < token["entropy"] < math.log(60)


def test_the_empty_text_has_the_score_of_eos(names: Trained, octets: Trained) -> None:
    for model in (names.folder, octets.folder):
        score = succeed("score", "", "--model", model, "--json", "--per-token").json
        assert score["tokens"] == 1
        assert score["logprob"] == score["per_token"][0]["logprob"]
        assert score["per_token"][0]["token"] == END
        assert score["logprob_without_eos"] == 0


def test_the_first_token_starts_from_nothing(names: Trained) -> None:
    """Over all tokens of the vocabulary, the probabilities of a first token sum to one."""
    vocabulary = succeed("info", "--model", names.folder, "--json").json["vocabulary"]
    letters = [entry["token"] for entry in vocabulary[2:]]
    scores = succeed("score", "\x01", *letters, "--model", names.folder, "--json", "--per-token").objects
    first = [score["per_token"][0]["logprob"] for score in scores]
    eos = succeed("score", "", "--model", names.folder, "--json").json["logprob"]
    assert sum(map(math.exp, [*first, eos])) == pytest.approx(1, rel=1e-5)


def test_text_that_begins_with_a_dash(names: Trained) -> None:
    assert succeed("score", "--model", names.folder, "--json", "--", "--json", "-5").objects[0]["text"] == "--json"
    assert call("score", "--model", names.folder, "-5").status == 2


def test_unknown_characters_are_flagged(names: Trained) -> None:
    ended = succeed("score", "banana", "b\N{GRINNING FACE}na", "Q", "--model", names.folder)
    assert "2 texts hold tokens the model does not know" in ended.err
    lines = ended.out.decode().splitlines()
    assert ["[unknown tokens]" in line for line in lines[1:]] == [False, True, True]
    scores = succeed("score", "b\N{GRINNING FACE}na", "--model", names.folder, "--json", "--per-token").json
    assert scores["oov"] == 1
    assert [each["token"] for each in scores["per_token"]] == [*"b\N{GRINNING FACE}na", END]
    assert [token["unknown"] for token in scores["per_token"]] == [False, True, False, False, False]
    shown = succeed("score", "b\N{GRINNING FACE}na", "--model", names.folder, "--per-token").out.decode()
    assert shown.count("  [unknown]") == 1


def test_a_text_that_names_a_file_is_remarked_on(names: Trained) -> None:
    Path("pairs.txt").write_text("a\n")
    assert "--file pairs.txt" in succeed("score", "pairs.txt", "--model", names.folder).err


def test_lines_of_a_file_score_as_they_do_alone(names: Trained, prose: Trained, tmp_path: Path) -> None:
    """However lines are packed, each counts from a start of its own."""
    texts = ["", *names_text(40).splitlines(), "a" * 200, "b"]
    (tmp_path / "texts.txt").write_text("".join(text + "\n" for text in texts))
    for model in (names.folder, prose.folder):
        together = succeed("score", "--file", "texts.txt", "--model", model, "--json").objects
        alone = [succeed("score", text, "--model", model, "--json").json for text in texts]
        assert [each["text"] for each in together] == texts
        np.testing.assert_allclose(
            [each["logprob"] for each in together], [each["logprob"] for each in alone], rtol=1e-5
        )


def test_where_texts_come_from_makes_no_difference(names: Trained, tmp_path: Path) -> None:
    """Arguments, a file, standard input; line breaks of any kind; with and without the last one."""
    expected = succeed("score", "banana", "", "kiwi", "--model", names.folder, "--json").out
    for data in (b"banana\n\nkiwi\n", b"banana\n\nkiwi", b"banana\r\n\r\nkiwi\r\n", b"\xef\xbb\xbfbanana\n\nkiwi\n"):
        (tmp_path / "texts.txt").write_bytes(data)
        assert succeed("score", "--file", "texts.txt", "--model", names.folder, "--json").out == expected
        assert succeed("score", "--model", names.folder, "--json", stdin=data).out == expected
    assert process("score", "--model", names.folder, "--json", input=b"banana\n\nkiwi\n").out == expected


def test_a_whole_file_is_one_text(prose: Trained, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("river\n\nriver\n")
    whole = succeed("score", "--file", "text.txt", "--whole", "--model", prose.folder, "--json").json
    assert whole["tokens"] == 13
    assert succeed("score", "--whole", "--model", prose.folder, "--json", stdin=b"river\n\nriver\n").json == whole


def test_nothing_to_score(names: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    ended = succeed("score", "--file", "empty.txt", "--model", names.folder)
    assert ended.out == b""
    assert "empty.txt is empty" in ended.err


def test_contradictions(names: Trained) -> None:
    for arguments in (("a", "--file", names.corpus), ("a", "--whole")):
        one_message(call("score", *arguments, "--model", names.folder), 2)


def test_unreadable_input(names: Trained, tmp_path: Path) -> None:
    """No header is printed for what cannot be read."""
    for arguments, stdin, mentioned in (
        (("--file", "missing.txt"), b"", "missing.txt"),
        (("--file", tmp_path), b"", "directory"),
        ((), b"caf\xe9\n", "standard input"),
        (("--whole",), b"caf\xe9\n", "offset 3"),
    ):
        ended = call("score", *arguments, "--model", names.folder, stdin=stdin)
        one_message(ended, 3, mentioned)
        assert ended.out == b""
    one_message(call("score", "--encoding", "foo", "--model", names.folder), 2, "foo")


def test_the_same_command_writes_the_same_bytes(prose: Trained) -> None:
    for arguments in (("score", "--file", prose.corpus, "--per-token"), ("eval", prose.corpus), ("info", "--json")):
        assert succeed(*arguments, "--model", prose.folder) == succeed(*arguments, "--model", prose.folder)


@pytest.mark.skipif(os.name != "posix", reason="arguments are bytes on POSIX only")
def test_bytes_on_the_command_line(octets: Trained, names: Trained) -> None:
    """At the byte level they are scored as they are; elsewhere they are unknown characters."""
    raw = os.fsdecode(b"\xff\xfe\x80")
    score = json.loads(process("score", raw, "--model", octets.folder, "--json", "--per-token").out)
    assert [token["token"] for token in score["per_token"]] == ["\\xff", "\\xfe", "\\x80", "<EOS>"]
    assert (score["text"], score["tokens"], score["oov"]) == (raw, 4, 0)
    assert succeed("score", "--model", octets.folder, "--json", "--per-token", stdin=b"\xff\xfe\x80").json == score
    assert process("score", raw, "--model", names.folder, "--json").json["oov"] == 3
    assert process("score", raw, "--model", names.folder).status == 0


def test_perplexity_never_overflows(names: Trained) -> None:
    """JSON has no infinity."""
    for score in succeed("score", "\N{GRINNING FACE}" * 50, "--model", names.folder, "--json").objects:
        assert math.isfinite(score["perplexity"])
