"""``charlm ngram``: counted, scored, evaluated, exported and imported on the command line."""

import json
import math
import shlex
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, names_text, one_message, prose_text, succeed

from charlm.files import read_tensors
from charlm.ngram.model import load_ngram


@pytest.fixture(scope="module")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, and the counting model of it beside it."""
    folder = tmp_path_factory.mktemp("ngram")
    text = folder / "prose.txt"
    text.write_text(prose_text(), encoding="utf-8")
    succeed("ngram", "train", text, "--model", folder / "model", "--order", 4)
    return folder


def test_a_text_is_counted_and_evaluated(prose: Path) -> None:
    """The cost that training ends with is that of the part that eval finds again."""
    trained = succeed("ngram", "train", prose / "prose.txt", "--model", prose / "again", "--order", 4)
    found = json.loads(succeed("ngram", "eval", "--model", prose / "model", "--json").out)
    assert f"validation {found['nats_per_token']:.4f} nats a token" in trained.out.decode()
    assert found["perplexity"] == pytest.approx(math.exp(found["nats_per_token"]))
    assert (prose / "model" / "model.safetensors").read_bytes() == (prose / "again" / "model.safetensors").read_bytes()


def test_scores_have_the_form_of_a_networks(prose: Path) -> None:
    """Every token, whose parts add up; its rank and entropy are those of the whole distribution."""
    ended = succeed("ngram", "score", "--model", prose / "model", "--json", "--per-token", "the sea", "x")
    first, second = map(json.loads, ended.out.splitlines())
    assert first["logprob"] == pytest.approx(sum(token["logprob"] for token in first["per_token"]))
    model = load_ngram(prose / "model")
    ids = model.tokenizer.encode_sentence("the sea")
    details = model.score_tokens([ids])[0]
    assert [token["rank"] for token in first["per_token"]] == details.ranks.tolist()
    assert all(0 <= token["entropy"] <= math.log(len(model.tokenizer)) for token in second["per_token"])


def test_lists_begin_anew_at_every_line(tmp_path: Path) -> None:
    """The first letter of a name is predicted from <s>, whatever the name before it."""
    text = tmp_path / "names.txt"
    text.write_text(names_text(), encoding="utf-8")
    succeed("ngram", "train", text, "--model", tmp_path / "m", "--independent-lines")
    model = load_ngram(tmp_path / "m")
    assert model.text.independent_lines
    assert model.trie.size(1) == len(model.tokenizer) + 1


@pytest.mark.parametrize("level", ["char", "word", "token", "byte"])
def test_every_level_can_be_counted_and_written(prose: Path, tmp_path: Path, level: str) -> None:
    succeed("ngram", "train", prose / "prose.txt", "--model", tmp_path / "m", "--level", level, "--order", 3)
    succeed("ngram", "export", tmp_path / "m.arpa", "--model", tmp_path / "m")
    assert (tmp_path / "m.arpa").read_bytes().startswith(b"\\data\\\nngram 1=")
    one_message(call("ngram", "export", tmp_path / "m.arpa", "--model", tmp_path / "m"), 5, "--overwrite")


@pytest.mark.parametrize("level", ["char", "word", "token"])
def test_a_model_comes_back_from_its_arpa_file(prose: Path, tmp_path: Path, level: str) -> None:
    """White space among its tokens too; scores are those of before."""
    succeed("ngram", "train", prose / "prose.txt", "--model", tmp_path / "m", "--level", level, "--order", 3)
    succeed("ngram", "export", tmp_path / "m.arpa", "--model", tmp_path / "m")
    succeed("ngram", "import", tmp_path / "m.arpa", "--model", tmp_path / "back", "--level", level)
    lines = ["the sea  and", "a\tb", "zebra"]
    scores = [
        [json.loads(row) for row in succeed("ngram", "score", "-m", tmp_path / m, "--json", *lines).out.splitlines()]
        for m in ("m", "back")
    ]
    for one, other in zip(*scores, strict=True):
        assert one["tokens"] == other["tokens"]
        assert one["logprob"] == pytest.approx(other["logprob"], abs=1e-4)


def test_training_says_what_counting_makes_of_the_text(prose: Path, tmp_path: Path) -> None:
    """On the same validation part, in the same tokens."""
    ended = succeed("train", prose / "prose.txt", "--model", tmp_path / "net", *QUICK[:-1], "--steps", 2)
    counted = succeed("ngram", "train", prose / "prose.txt", "--model", tmp_path / "counts")
    nats = counted.out.decode().split("validation ")[1].split()[0]
    assert f"to beat: 6-grams of the same text, {nats} nats a token" in ended.err


def test_info_tells_what_was_counted_and_how_to_do_it_again(prose: Path, tmp_path: Path) -> None:
    shown = succeed("info", "--model", prose / "model").out.decode()
    about = json.loads(succeed("info", "--model", prose / "model", "--json").out)
    trie = load_ngram(prose / "model").trie
    assert about["ngrams"] == [trie.size(order) for order in (1, 2, 3, 4)]
    assert f"{about['ngrams'][3]:,}   discounts {about['discounts'][3][0]:.4f}" in shown
    succeed(*shlex.split(about["command"])[1:], "--model", tmp_path / "again")
    again = (tmp_path / "again" / "model.safetensors").read_bytes()
    assert again == (prose / "model" / "model.safetensors").read_bytes()


def test_info_of_an_imported_model_repeats_nothing(prose: Path, tmp_path: Path) -> None:
    succeed("ngram", "export", tmp_path / "m.arpa", "--model", prose / "model")
    succeed("ngram", "import", tmp_path / "m.arpa", "--model", tmp_path / "m", "--level", "char")
    assert "imported       m.arpa" in succeed("info", "--model", tmp_path / "m").out.decode()
    assert json.loads(succeed("info", "--model", tmp_path / "m", "--json").out)["command"] is None


def test_models_of_another_kind_are_named(prose: Path, tmp_path: Path) -> None:
    succeed("train", prose / "prose.txt", "--model", tmp_path / "net", *QUICK, "--steps", 1)
    one_message(call("ngram", "score", "--model", tmp_path / "net", "x"), 4, "language model", "n-gram model")
    one_message(call("score", "--model", prose / "model", "x"), 4, "n-gram model")


def test_bad_input_is_told_of(prose: Path, tmp_path: Path) -> None:
    one_message(call("ngram", "train"), 2, "charlm ngram train FILE")
    one_message(call("ngram", "train", prose / "prose.txt", "--order", 0), 2, "--order is 0")
    one_message(call("ngram", "train", prose / "prose.txt", "--order", 99), 2, "--order is 99")
    one_message(call("ngram", "train", tmp_path / "none.txt"), 3, "none.txt")
    one_message(call("ngram", "train", prose / "prose.txt", "--model", prose / "model"), 5, "--overwrite")
    one_message(call("ngram", "import", prose / "prose.txt", "--model", tmp_path / "i"), 3, "line 1", "no ARPA file")
    one_message(call("ngram", "eval", "--model", tmp_path / "nothing"), 4, "no model at")


@pytest.mark.parametrize("tensor", ["last.2", "followers.3", "log_probability.1", "log_backoff.2", "vocabulary.data"])
def test_a_damaged_model_is_told_of(prose: Path, tmp_path: Path, tensor: str) -> None:
    """A tensor changed, with a digest that fits it: nothing may come of it but a message or another model."""
    from charlm.seal import sealed_bytes  # noqa: PLC0415 - only here

    tensors, metadata = read_tensors(prose / "model" / "model.safetensors")
    metadata.pop("digest")
    was = tensors[tensor]
    for now in (was[:-1], np.roll(was, 1), np.full_like(was, 200)):
        file = tmp_path / "model.safetensors"
        file.write_bytes(sealed_bytes({**tensors, tensor: now}, metadata))
        ended = call("ngram", "score", "--model", file, "the sea")
        assert ended.status in (0, 4), ended.err
        assert "Traceback" not in ended.err


def test_an_imported_model_has_no_corpus_of_its_own(prose: Path, tmp_path: Path) -> None:
    succeed("ngram", "export", tmp_path / "m.arpa", "--model", prose / "model")
    succeed("ngram", "import", tmp_path / "m.arpa", "--model", tmp_path / "i", "--level", "char")
    one_message(call("ngram", "eval", "--model", tmp_path / "i"), 3, "imported", "charlm eval FILE")
    succeed("ngram", "eval", prose / "prose.txt", "--model", tmp_path / "i")
