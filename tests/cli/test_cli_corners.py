"""Corners where two rules meet."""

import json
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, call, names_text, one_message, process, succeed


def test_a_last_step_that_spoils_the_weights_is_no_success(tmp_path: Path) -> None:
    """The validation is not finite: an error of training, and no model that holds nonsense."""
    corpus = tmp_path / "names.txt"
    corpus.write_text(names_text())
    ended = call("train", corpus, "--model", tmp_path / "model", *QUICK, "--steps", 1, "--lr", "1e20")
    one_message(ended, 6, "not finite", "--lr")
    assert not (tmp_path / "model" / "model.safetensors").exists()


def test_a_finished_run_whose_model_was_lost_has_one_again(names: Trained, tmp_path: Path) -> None:
    """With the present weights, and their own validation in the record."""
    folder = tmp_path / "again"
    succeed("train", names.corpus, "--model", folder, *QUICK, "--steps", 8)
    (folder / "model.safetensors").unlink()
    succeed("train", "--resume", "--model", folder)
    found = json.loads(succeed("info", "--model", folder, "--json").out)
    assert found["record"]["valid_nats_per_token"] > 0


def test_bytes_that_are_no_text_train_and_evaluate(tmp_path: Path) -> None:
    """Bytes that would only continue a character are tokens like others; no characters are there to share bits by."""
    data, folder = tmp_path / "samples.raw", tmp_path / "model"
    data.write_bytes(bytes(128 + (i * i) % 60 for i in range(3000)))
    succeed("train", data, "--level", "byte", "--model", folder, *QUICK, "--steps", 8)
    found = json.loads(succeed("eval", data, "--model", folder, "--json").out)
    assert found["bits_per_char"] is None
    assert found["bits_per_byte"] > 0
    assert b"none" in succeed("eval", data, "--model", folder).out


def test_samples_of_bytes_have_nothing_between_them(octets: Trained) -> None:
    """What stands in a pipe is what was drawn."""
    one, two = (
        process("sample", "--model", octets.folder, "--length", 7, "--seed", 1, "-n", number).out for number in (1, 2)
    )
    assert len(one) <= 7
    assert two.startswith(one)
    assert len(two) <= 14


@pytest.mark.parametrize("options", [["--whole"], []])
def test_a_model_of_independent_lines_scores_no_two_lines_as_one(
    names: Trained, tmp_path: Path, options: list[str]
) -> None:
    """It has learnt nothing of what follows a line."""
    file = tmp_path / "two.txt"
    file.write_text("anna\nbob\n")
    given = ["--file", file, *options] if options else ["anna\nbob"]
    one_message(call("score", "--model", names.folder, *given), 2, "several lines", "one by one")
    succeed("score", "--model", names.folder, "anna\n")


def test_a_very_long_run_is_repeated_by_a_command_that_works(names: Trained) -> None:
    """The length of a run bound by time is printed in figures that ``--time`` reads."""
    from charlm.checkpoint import TrainedModel, load_model  # noqa: PLC0415 - for this test alone
    from charlm.cli.info import command  # noqa: PLC0415 - likewise

    model = load_model(names.folder)
    record = dict(model.record)
    record["train"] = {**record["train"], "steps": None, "seconds": 1_080_000.5}
    assert "--time 1080000.5s" in command(TrainedModel(model.network, model.tokenizer, model.text, record))
