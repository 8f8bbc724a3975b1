"""``charlm explain``: what it shows is what the model does."""

import math
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, Trained, call, environment, one_message, prose_text, succeed, words

from charlm.config import ModelConfig
from charlm.explain import run
from charlm.nn.language_model import LanguageModel
from charlm.nn.registry import every_kind
from charlm.scoring import log_softmax

INPUTS = [-1, 3, 0, 5, 5, 1]


def random_network(cell: str, options: dict[str, str], embedding: int, **how: Any) -> LanguageModel:
    """Two layers of six units, no parameter of which is zero, initial states included."""
    config = ModelConfig(7, cell, options, layers=2, hidden=6, embedding=embedding, **how)
    network = LanguageModel(config)
    network.parameters.values[...] = np.random.default_rng(4).normal(0, 0.6, len(network.parameters))
    return network


@pytest.mark.parametrize("how", [{}, {"residual": True}, {"initial": "learned"}], ids=["plain", "residual", "learned"])
@pytest.mark.parametrize("embedding", [4, 6])
@pytest.mark.parametrize(("cell", "options"), list(every_kind()))
def test_every_step_is_the_engines(cell: str, options: dict[str, str], embedding: int, how: dict[str, Any]) -> None:
    """Each layer's state and the top's output, and so the distribution of the next token, are those of the engine."""
    network = random_network(cell, options, embedding, **how)
    work, states = network.new_workspace(1, 1), network.initial_states(1)
    for token, (layers, logprobs) in zip(INPUTS, run(network, INPUTS), strict=True):
        for layer, state in zip(layers, states, strict=True):
            for name, part in zip(layer.state_names, state, strict=True):
                np.testing.assert_allclose(layer.values[name], part, atol=1e-5)
        logits, states = network.logits(work, np.array([[token]]), np.zeros((1, 1), np.bool_), states)
        np.testing.assert_allclose(layers[-1].output, work.tape.activations[0], atol=1e-5)
        np.testing.assert_allclose(logprobs, log_softmax(logits[:, 0, 0].astype(np.float64)), atol=1e-5)


def train(level: str, *options: object) -> None:
    Path("text.txt").write_text(prose_text(), encoding="utf-8")
    succeed("train", "text.txt", "--level", level, *QUICK, "--steps", 5, *options)


@pytest.mark.parametrize(
    ("level", "text"),
    [("char", "on b\nè!"), ("byte", "river é"), ("word", "river bridge .\nwolf"), ("token", "river zzz bridge")],
)
def test_the_probabilities_are_those_of_the_score(level: str, text: str) -> None:
    """At every level, the tokens that the model does not know included, of which each text but bytes has some."""
    train(level, "--cell", "norm-gru", "--layers", 2, "--residual", "--initial", "learned")
    steps = succeed("explain", text, "--json", "--steps", 100).objects
    scored = succeed("score", text, "--json", "--per-token").json["per_token"][:-1]
    assert [step["token"] for step in steps] == [None, *(each["token"] for each in scored)]
    assert [step["unknown"] for step in steps] == [False, *(each["unknown"] for each in scored)]
    assert any(step["unknown"] for step in steps) == (level != "byte")
    assert [math.log(step["probability"]) for step in steps[:-1]] == pytest.approx(
        [each["logprob"] for each in scored], abs=1e-4
    )
    assert steps[-1]["probability"] is None
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))


def test_the_likeliest_are_what_comes_next() -> None:
    train("word", "--min-count", 1)
    *_, last = succeed("explain", "river", "--top", 5, "--json").objects
    assert len(last["next"]) == 5
    likely = [(each["token"], each["probability"]) for each in last["next"] if "<UNK>" not in each.values()]
    assert likely == sorted(likely, key=lambda each: -each[1])
    found = succeed("next", "river", "-n", 5, "--json").objects[: len(likely)]
    assert [probability for _, probability in likely] == pytest.approx(
        [each["probability"] for each in found], abs=1e-5
    )
    assert ["<EOS>" if each["ends"] else each["text"].strip() for each in found] == [
        token.strip("\uffed") for token, _ in likely
    ]


def test_the_text_and_the_json_say_the_same(prose: Trained) -> None:
    """Step by step, layer by layer, unit by unit, every quantity that the equations define."""
    arguments = ("explain", "on ri", "--model", prose.folder, "--units", "3,1-2", "--top", 2)
    lines = succeed(*arguments).out.decode().splitlines()
    expected: list[str] = []
    for step in succeed(*arguments, "--json").objects:
        expected.append(f"step {step['step']}")
        assert [layer["layer"] for layer in step["layers"]] == [1, 2]
        for layer in step["layers"]:
            assert [unit["unit"] for unit in layer["units"]] == [3, 1, 2]
            for unit in layer["units"]:
                expected.append(f"layer {layer['layer']}, unit {unit['unit']}")
                assert list(unit["values"]) == ["a_prev", "c_prev", "f", "u", "o", "candidate", "c", "a"]
                expected += [f"{name} = {value:z.4f}" for name, value in unit["values"].items() if "_" not in name]
        expected += [f"{each['probability']:.4f}" for each in step["next"]]
    shown: list[str] = []
    for line in lines:
        if found := re.match(r" *(step \d+|layer \d+, unit \d+)", line):
            shown.append(found[1])
        elif found := re.match(r"    (?:\w+ )+ +(\w+) = ", line):
            defined = found[1]
        elif found := re.match(r" +=.*= (-?[0-9.]+)$", line):
            shown.append(f"{defined} = {found[1]}")
        elif "likeliest:" in line:
            shown += re.findall(r" ([0-9.]+)(?=, |$)", line)
    assert shown == expected


def test_an_equation_with_its_numbers(names: Trained) -> None:
    lines = succeed("explain", "ba", "--model", names.folder, "--units", 5, "--steps", 2).out.decode().splitlines()
    (values,) = succeed("explain", "ba", "--model", names.folder, "--units", 5, "--json").objects[1]["layers"][0][
        "units"
    ]
    assert lines[0].startswith("lstm: 1 layer of 16 units.")
    assert "step 1: reads the zero vector, in the initial state" in lines
    second = lines[lines.index('step 2: reads "b"') :]
    where = next(number for number, line in enumerate(second) if line.startswith("    forget gate"))
    assert second[where] == "    forget gate  f = sigmoid(W_fa @ a_prev + W_fx @ x + b_f)"
    number = r"(-?\d+\.\d{4})"
    form = rf" +=\ssigmoid\({number} ([+-]) (\d+\.\d{{4}}) ([+-]) (\d+\.\d{{4}})\) = sigmoid\({number}\) = {number}"
    found = re.fullmatch(form, second[where + 1])
    assert found is not None, second[where + 1]
    total = float(found[1]) + float(found[2] + found[3]) + float(found[4] + found[5])
    assert total == pytest.approx(float(found[6]), abs=2e-4)
    assert 1 / (1 + math.exp(-total)) == pytest.approx(values["values"]["f"], abs=1e-4)


def test_residual_connections_norms_and_unknown_tokens_are_shown() -> None:
    train("char", "--cell", "norm-lstm", "--layers", 2, "--residual")
    ended = succeed("explain", "a☃", "--units", 1)
    assert 'does not know "☃"' in ended.err
    out = ended.out.decode()
    assert out.count("output      ") == 3  # in the upper layer alone, at each of the three steps
    assert out.count("output = a + x\n") == 3
    assert out.count("y = softmax(W_y @ output + b_y)") == 3
    assert "(norm of all 64 numbers: mean " in out
    assert "(norm of all 16 numbers: mean " in out
    worked = re.findall(r"norm\(c\) \+ b_cell\)\n((?: +=.*\n)+)", out)
    assert [each.count("= ") for each in worked] == [5] * 6  # down to the norm, its sum, tanh, and the product
    assert all(len(line) <= 100 for each in worked for line in each.splitlines())
    assert '    in the text: "☃" as <UNK> 0.' in out
    assert 'step 3: reads "☃" as <UNK>\n' in out
    assert out.endswith("    in the text: nothing, it ends here\n")


def test_what_is_not_shown_is_said(prose: Trained) -> None:
    ended = succeed("explain", "river and bridge", "--model", prose.folder, "--json")
    assert len(ended.objects) == 10
    assert ended.err == "charlm: 7 steps left out: --steps 17 shows all\n"
    ended = succeed("explain", "river and bridge", "--model", prose.folder, "--json", "--steps", 17)
    assert (len(ended.objects), ended.err) == (17, "")
    ended = succeed("explain", "river and bridge", "--model", prose.folder, "--json", "--steps", 2)
    assert (len(ended.objects), ended.err) == (2, "")


def test_one_layer_and_the_default_units(prose: Trained) -> None:
    (step,) = succeed("explain", "--model", prose.folder, "--layer", 2, "--json").objects
    assert [layer["layer"] for layer in step["layers"]] == [2]
    assert [unit["unit"] for unit in step["layers"][0]["units"]] == [1, 2]
    both = succeed("explain", "", "--model", prose.folder, "--units", "2,1-2", "--json").objects[0]["layers"]
    assert [unit["unit"] for unit in both[1]["units"]] == [2, 1]
    assert both[1]["units"][::-1] == step["layers"][0]["units"]


def test_a_layer_of_one_unit() -> None:
    train("char", "--hidden", 1)
    assert "unit 2" not in succeed("explain", "a").out.decode()


@pytest.mark.parametrize("units", ["0", "17", "1-17", "3-2", "a", "", "1,", "1-", "-1", "1.5", "9" * 5000])
def test_wrong_units(names: Trained, units: str) -> None:
    one_message(call("explain", "ba", "--model", names.folder, f"--units={units}"), 2, "--units is", "from 1 to 16")


def test_wrong_numbers(names: Trained) -> None:
    for option, value in [("--layer", 0), ("--layer", 2), ("--top", 0), ("--steps", 0)]:
        one_message(call("explain", "ba", "--model", names.folder, option, value), 2, f"{option} is {value}")
    one_message(call("explain", "a\nb", "--model", names.folder), 2, "independent")


def test_more_than_there_is_is_no_error(names: Trained) -> None:
    *_, last = succeed("explain", "ba", "--model", names.folder, "--top", 1000, "--steps", 1000, "--json").objects
    assert last["step"] == 3
    assert sum(each["probability"] for each in last["next"]) == pytest.approx(1)


def test_a_reader_that_leaves_stops_it_quietly(prose: Trained) -> None:
    """Long enough for several times what a pipe holds."""
    command = words("explain", "a river on " * 20, "--model", prose.folder, "--units", "1-16", "--steps", 200)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("lstm: 2 layers")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0
