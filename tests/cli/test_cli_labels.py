"""``charlm train --labels``: a language model of texts with labels, and Bayes' rule."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import QUICK, Trained, call, contents, names_text, one_message, succeed
from hostile.contents import Contents, opened, sealed

import charlm
from charlm.bayes import posteriors
from charlm.cache import corpora
from charlm.checkpoint import load_model

LETTERS = {"vowel": "aeo", "consonant": "xyz"}
SHORT = ("--window", 16, "--batch", 4, "--quiet")


def labelled_text(number: int = 300, seed: int = 1) -> str:
    """Two labels with different letters, one of them twice as frequent."""
    source = random.Random(seed)  # noqa: S311 - no secret
    labels = [source.choice(["vowel", "vowel", "consonant"]) for _ in range(number)]
    return "".join(
        f"{label}\t{''.join(source.choice(LETTERS[label]) for _ in range(source.randint(2, 6)))}\n" for label in labels
    )


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy.tsv").write_text(labelled_text(), encoding="utf-8")
    options = ("--labels", "--steps", 250, "--dropout", 0, "--lr", 0.02, *QUICK)
    succeed("train", folder / "toy.tsv", "--model", folder / "model", *options)
    return Trained(folder / "model", folder / "toy.tsv")


def fresh(folder: Path) -> Path:
    path = folder / "fresh.tsv"
    path.write_text(labelled_text(120, seed=2), encoding="utf-8")
    return path


def test_texts_are_drawn_under_a_label(toy: Trained) -> None:
    """Under each only its own letters, of one sample as of many; as the Python interface draws them."""
    model = charlm.load(toy.folder)
    assert model.labels == ["vowel", "consonant"]
    for label, letters in LETTERS.items():
        for number in (1, 60):
            ended = succeed("sample", "--model", toy.folder, "--label", label, "-n", number, "--seed", 3)
            drawn = ended.out.decode()
            letters_drawn = [letter for letter in drawn if letter != "\n"]
            own = sum(letter in letters for letter in letters_drawn)
            assert own >= 0.97 * len(letters_drawn), drawn
            assert "".join(model.sample(number, seed=3, label=label)) == drawn
    greedy = [model.sample(temperature=0, label=label, prompt="a")[0] for label in LETTERS]
    assert greedy[0] != greedy[1]


def test_scores_are_those_under_a_label(toy: Trained) -> None:
    scores = {
        label: succeed("score", "--model", toy.folder, "--json", "--label", label, "aoea").json for label in LETTERS
    }
    assert scores["vowel"]["logprob"] > scores["consonant"]["logprob"] + 3
    model = charlm.load(toy.folder)
    assert model.score("aoea", label="consonant").logprob == scores["consonant"]["logprob"]
    assert model.score(["aoea"], label="vowel")[0].logprob == scores["vowel"]["logprob"]
    logprobs = model.log_probabilities([model.encode("aoea")], label="vowel")[0]
    chosen = [logprobs[t, i] for t, i in enumerate([*model.encode("aoea").tolist(), 0])]
    assert sum(chosen) == pytest.approx(scores["vowel"]["logprob"], abs=1e-4)


def test_explaining_and_continuing_agree_with_scoring(toy: Trained) -> None:
    """The equations in float64 come to what the engine computes, under every label."""
    model = charlm.load(toy.folder)
    for label, letters in LETTERS.items():
        words = ("--model", toy.folder, "--label", label)
        steps = succeed("explain", *words, "ax", "--json", "--top", 99).objects
        end = {each["token"]: each["probability"] for each in steps[-1]["next"]}["<EOS>"]
        found = np.log([*(step["probability"] for step in steps[:-1]), end]).sum()
        assert found == pytest.approx(model.score("ax", label=label).logprob, abs=1e-4)
        assert f'the embedding of the label "{label}" is added' in succeed("explain", *words, "ax").out.decode()
        assert len(model.explain("ax", label=label)) == 3
        likeliest = succeed("next", *words, "--json", "-n", 1).objects[0]
        assert likeliest["text"].strip("\n") == "" or set(likeliest["text"]) <= set(letters)
        assert model.next(number=1, label=label)[0].text == likeliest["text"]


def test_gradients_are_measured_on_lines_of_the_label(toy: Trained, tmp_path: Path) -> None:
    """The other label's lines are left out, whatever they hold."""
    (tmp_path / "both.tsv").write_text("vowel\taoeaoe\nconsonant\txyzxyz\nvowel\teoaeoa\n")
    (tmp_path / "one.tsv").write_text("vowel\taoeaoe\nvowel\teoaeoa\n")
    words = ("gradients", "--model", toy.folder, "--label", "vowel", "--lags", 3, "--json", "--file")
    assert succeed(*words, tmp_path / "both.tsv").json == succeed(*words, tmp_path / "one.tsv").json
    model = charlm.load(toy.folder)
    first, second = (model.gradients("aoeaoe", lags=2, label=label).decays[0].norms for label in LETTERS)
    assert not np.allclose(first, second)


def test_units_read_under_a_label(toy: Trained) -> None:
    """A text is read under the label that is named; of the model's own part, the lines that have it."""
    model = charlm.load(toy.folder)
    shown = {}
    for label in LETTERS:
        words = ("--model", toy.folder, "--label", label, "--json")
        rows = succeed("neurons", "aoeaoe", "--unit", "1.2", *words).objects
        shown[label] = [row["value"] for row in rows][:6]
        assert shown[label] == pytest.approx(model.activations("aoeaoe", label=label)[0, :, 1].tolist(), abs=1e-6)
        found = succeed("neurons", "--find-regex", f"[{LETTERS[label][0]}]", *words).json
        assert min(found["means"]) > 0.2
    assert shown["vowel"] != shown["consonant"]
    # No line of the other label is read, so none of its letters is found.
    ended = call("neurons", "--find-regex", "x", "--model", toy.folder, "--label", "vowel")
    assert ended.status == 3
    assert "nowhere" in ended.err


def test_bayes_rule_finds_the_label(toy: Trained, tmp_path: Path) -> None:
    found = succeed("eval", "--model", toy.folder, fresh(tmp_path), "--labels", "--json").json
    assert found["accuracy"] >= 0.97
    assert found["macro_f1"] >= 0.97
    assert found["prior"] == "trained"
    shown = succeed("eval", "--model", toy.folder, fresh(tmp_path), "--labels", "--prior", "uniform").out.decode()
    assert "macro F1 " in shown
    assert "uniform" in shown
    own = succeed("eval", "--model", toy.folder, "--labels", "--json").json
    assert own["accuracy"] >= 0.97


@pytest.mark.parametrize("prior", ["trained", "uniform"])
def test_posteriors_are_what_bayes_rule_says(toy: Trained, prior: str) -> None:
    """From the scores under each label and the prior, on the command line as in Python."""
    model = charlm.load(toy.folder)
    labels = model.trained.labels
    assert labels is not None
    counts = labels.counts if prior == "trained" else np.ones(2)
    before = counts / counts.sum()
    objects = succeed("score", "--model", toy.folder, "--posterior", "--prior", prior, "--json", "ax", "", "x").objects
    for text, found in zip(["ax", "", "x"], objects, strict=True):
        joint = np.array([np.exp(model.score(text, label=label).logprob) for label in labels.names]) * before
        np.testing.assert_allclose(list(found["probabilities"].values()), joint / joint.sum(), rtol=1e-4)
        assert found["text"] == text
        assert found["prior"] == pytest.approx(dict(zip(labels.names, before, strict=True)))
        assert found["prior_from"] == prior
        assert found["label"] == labels.names[int(joint.argmax())]
    assert [each.to_json()["probabilities"] for each in model.posterior(["ax", "", "x"], prior=prior)] == [
        each["probabilities"] for each in objects
    ]
    assert model.posterior("x").label == "consonant"


def test_posteriors_as_a_table(toy: Trained, tmp_path: Path) -> None:
    """From a file too, a text a line; the likeliest label stands first."""
    (tmp_path / "texts").write_text("aoea\nxyxz\n")
    told = succeed("score", "--model", toy.folder, "--posterior", "--file", tmp_path / "texts").out.decode()
    lines = told.split("\n")
    assert lines[0] == "aoea"
    assert lines[2].endswith("  vowel")
    assert lines[5] == "xyxz"
    assert lines[7].endswith("  consonant")
    assert "nothing to score" in succeed("score", "--model", toy.folder, "--posterior", stdin=b"").err


def test_a_label_that_was_never_seen_is_not_likely(toy: Trained) -> None:
    """Its prior is zero, which is no error."""
    model = load_model(toy.folder)
    assert model.labels is not None
    model.labels.counts[1] = 0
    [found] = posteriors(model, ["xyz"])
    assert found.probabilities == {"vowel": 1, "consonant": 0}


def test_lines_are_evaluated_each_under_its_label(toy: Trained, tmp_path: Path) -> None:
    """What it costs is the sum of the scores; of several files each has its own."""
    (tmp_path / "1.tsv").write_text("vowel\taxe\n\nconsonant\txyz\n")
    (tmp_path / "2.tsv").write_text("consonant\taa\n")
    files = (tmp_path / "1.tsv", tmp_path / "2.tsv")
    found = succeed("eval", "--model", toy.folder, *files, "--json").json
    model = charlm.load(toy.folder)
    scores = [
        -model.score(text, label=label).logprob
        for label, text in (("vowel", "axe"), ("consonant", "xyz"), ("consonant", "aa"))
    ]
    assert found["nats_per_token"] * found["tokens"] == pytest.approx(sum(scores), rel=1e-5)
    assert [each["nats"] for each in found["files"]] == pytest.approx([sum(scores[:2]), scores[2]], rel=1e-5)
    text = "".join(file.read_text() for file in files)
    assert model.evaluate(text=text).nats_per_token == pytest.approx(found["nats_per_token"], rel=1e-6)


def test_what_it_is_is_shown(toy: Trained) -> None:
    told = succeed("info", "--model", toy.folder).out.decode()
    assert "lstm, 2 labels: 1 x 16" in told
    assert "labels         2: vowel (" in told
    command = told.splitlines()[-1]
    assert " --labels " in command
    described = succeed("info", "--model", toy.folder, "--json").json
    assert [each["label"] for each in described["labels"]] == ["vowel", "consonant"]
    assert sum(each["count"] for each in described["labels"]) == 270
    assert "2 labels: vowel (" in succeed("vocab", toy.folder).out.decode()
    of_text = succeed("vocab", toy.corpus, "--labels", "--level", "char", "--json").json
    assert [each["token"] for each in of_text["vocabulary"]][:2] == ["<EOS>", "<UNK>"]
    assert {each["token"] for each in of_text["vocabulary"][2:]} == set("aeoxyz")
    assert sum(each["count"] for each in of_text["labels"]) == 300
    of_both = succeed("vocab", toy.corpus, "--model", toy.folder, "--json").json
    assert of_both["unknown"] == 0
    assert of_both["tokens"] == of_text["tokens"]


def test_training_says_which_labels_there_are(tmp_path: Path) -> None:
    """And what is written under each, at every validation."""
    (tmp_path / "toy.tsv").write_text(labelled_text())
    said = succeed("train", tmp_path / "toy.tsv", "--labels", "--steps", 20, *QUICK[:-1]).err
    assert "2 labels: vowel (" in said
    assert "consonant: " in said


def test_stopping_and_resuming_changes_nothing(toy: Trained) -> None:
    """Nor does it go on with a text in which a label has changed."""
    options = ("--labels", "--steps", 30, *QUICK)
    succeed("train", toy.corpus, "--model", "once", *options)
    succeed("train", toy.corpus, "--model", "twice", *options, "--stop-at", 11)
    succeed("train", "--resume", "--model", "twice", "--quiet")
    assert Path("once/model.safetensors").read_bytes() == Path("twice/model.safetensors").read_bytes()
    text = toy.corpus.read_text()
    changed = Path("changed.tsv")
    changed.write_text(text.replace("vowel\t", "consonant\t", 1))
    one_message(call("train", changed, "--resume", "--model", "twice"), 3, "has changed since the run began")


def test_resuming_keeps_the_labels_of_the_model_it_began_with(toy: Trained, tmp_path: Path) -> None:
    """In their order, though in the text that it goes on with the other one is the more frequent."""
    path = tmp_path / "more.tsv"
    path.write_text("consonant\txyzyx\n" * 40 + labelled_text(60))
    options = ("--from", toy.folder, "--steps", 8, *SHORT)
    succeed("train", path, "--model", "once", *options)
    succeed("train", path, "--model", "twice", *options, "--stop-at", 3)
    succeed("train", "--resume", "--model", "twice", "--quiet")
    assert Path("once/model.safetensors").read_bytes() == Path("twice/model.safetensors").read_bytes()
    assert charlm.load("once").labels == ["vowel", "consonant"]


def test_the_options_repeat_the_run(toy: Trained, tmp_path: Path) -> None:
    """By the file that is left in the folder."""
    config = toy.folder / "config.toml"
    assert "labels = true" in config.read_text()
    succeed("train", "--config", config, "--model", tmp_path / "again", "--quiet")
    assert contents(tmp_path / "again")["model.safetensors"] == toy.file.read_bytes()
    python = charlm.train(toy.corpus, labels=True, steps=2, hidden=8, embedding=4, window=16, batch=4)
    assert python.labels == ["vowel", "consonant"]


def test_a_model_with_labels_is_trained_further(toy: Trained, tmp_path: Path) -> None:
    """With the labels that it has, in their order, and their embeddings; with more tokens too."""
    path = tmp_path / "more.tsv"
    path.write_text(labelled_text(100, seed=5).replace("vowel\ta", "vowel\tü"))
    options = ("--model", "tuned", "--steps", 1, "--lr", 1e-12, "--weight-decay", 0, *SHORT)
    succeed("train", path, "--from", toy.folder, "--extend-vocab", *options)
    base, found = load_model(toy.folder), load_model(Path("tuned"))
    assert found.label_names == base.label_names == ("vowel", "consonant")
    assert found.labels is not None
    assert found.labels.counts.sum() == 90
    mine, theirs = (each.network.parameters.views["embedding"] for each in (found, base))
    assert len(mine) == len(theirs) + 1
    np.testing.assert_allclose(mine[-2:], theirs[-2:], atol=1e-8)
    path.write_text(labelled_text(100, seed=5) + "other\tx\n")
    message = one_message(call("train", path, "--from", toy.folder, "--model", "m"), 3, "line 101", "'other'")
    assert "vowel, consonant" in message
    with pytest.raises(charlm.CharlmError, match="is a model of texts with labels"):
        charlm.train(path, base=toy.folder, labels=False)


def test_a_model_without_labels_gets_some(names: Trained, tmp_path: Path) -> None:
    """Their embeddings begin as nothing, so that it begins as it was."""
    path = tmp_path / "more.tsv"
    path.write_text("".join(f"{'new' if k % 3 else 'old'}\t{name}\n" for k, name in enumerate(names_text().split())))
    options = ("--model", "tuned", "--steps", 1, "--lr", 1e-12, "--weight-decay", 0, *SHORT)
    succeed("train", path, "--labels", "--from", names.folder, *options)
    base, found = charlm.load(names.folder), charlm.load("tuned")
    assert found.labels == ["new", "old"]
    for label in found.labels:
        assert found.score("bada", label=label).logprob == pytest.approx(base.score("bada").logprob, abs=1e-4)


def test_ids_of_labelled_texts_are_not_kept(toy: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(corpora, "FEWEST_BYTES", 0)
    for folder in ("first", "second"):
        succeed("train", toy.corpus, "--labels", "--model", folder, "--steps", 3, *QUICK)
    assert not (tmp_path / "cache").exists()
    assert Path("first/model.safetensors").read_bytes() == Path("second/model.safetensors").read_bytes()


def test_labelled_texts_come_through_a_pipe(toy: Trained) -> None:
    given = toy.corpus.read_bytes()
    succeed("train", "-", "--labels", "--model", "piped", "--steps", 3, *QUICK, stdin=given)
    assert charlm.load("piped").labels == ["vowel", "consonant"]
    assert succeed("eval", "-", "--model", "piped", "--labels", "--json", stdin=given).json["accuracy"] > 0


@pytest.mark.parametrize(
    ("text", "options", "status", "mentioned"),
    [
        ("vowel\ta\nno tab\n", (), 3, ("toy.tsv, line 2", "no tab")),
        ("vowel\ta\n \tb\n", (), 3, ("toy.tsv, line 2", "empty")),
        ("vowel\ta\nvowel\tb\n", (), 3, ("toy.tsv", "single label", "'vowel'")),
        (labelled_text(60) + "empty\t \n", (), 3, ("toy.tsv", "'empty'")),
        (labelled_text(60), ("--level", "byte"), 2, ("--labels", "--unit line")),
        (labelled_text(60), ("--unit", "file"), 2, ("--labels", "--unit line")),
        (labelled_text(60), ("--no-independent-lines",), 2, ("--labels", "--no-independent-lines")),
        (labelled_text(60), ("--valid", "valid.tsv"), 3, ("valid.tsv, line 1", "'strange'", "vowel, consonant")),
    ],
)
def test_bad_texts_are_named(text: str, options: tuple[object, ...], status: int, mentioned: tuple[str, ...]) -> None:
    Path("toy.tsv").write_text(text)
    Path("valid.tsv").write_text("strange\ta\n")
    one_message(call("train", "toy.tsv", "--labels", "--model", "m", *options), status, *mentioned)
    assert not Path("m").exists()


TAKES_A_LABEL: tuple[tuple[str, ...], ...] = (
    ("sample",),
    ("sample", "-n", "3"),
    ("score", "aa"),
    ("next",),
    ("rank", "aoea", "xyz"),
    ("explain",),
    ("gradients", "aoea"),
    ("neurons", "aoea", "--unit", "1.1"),
)


@pytest.mark.parametrize("command", TAKES_A_LABEL)
def test_a_label_must_be_one_of_the_models(command: tuple[str, ...], toy: Trained, names: Trained) -> None:
    one_message(call(*command, "--model", toy.folder), 2, "needs a label", "vowel, consonant", "--label")
    one_message(call(*command, "--model", toy.folder, "--label", "vowels"), 2, "'vowels'", "vowel, consonant")
    one_message(call(*command, "--model", names.folder, "--label", "vowel"), 2, "--label vowel", "has none")


@pytest.mark.parametrize(
    ("words", "mentioned"),
    [
        (("score", "--posterior", "--label", "vowel", "x"), ("--posterior", "--label")),
        (("score", "--posterior", "--unk-vocabulary", "9", "x"), ("--posterior", "--unk-vocabulary")),
        (("score", "--posterior", "--per-token", "x"), ("--posterior", "--per-token")),
        (("score", "--posterior", "--heatmap", "x.html", "x"), ("--posterior", "--heatmap")),
        (("score", "--prior", "uniform", "--label", "vowel", "x"), ("--prior", "--posterior")),
        (("score", "--posterior", "--prior", "even", "x"), ("'even'", "trained, uniform")),
        (("eval", "--prior", "uniform"), ("--prior", "--labels")),
        (("vocab", "--labels"), ("--labels",)),
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], mentioned: tuple[str, ...], toy: Trained) -> None:
    one_message(call(*words, "--model", toy.folder), 2, *mentioned)


def test_texts_are_ranked_under_a_label(toy: Trained) -> None:
    for label, likeliest in (("vowel", "aoea"), ("consonant", "xyz")):
        found = succeed("rank", "--model", toy.folder, "--label", label, "--json", "aoea", "xyz").json
        assert found[0]["text"] == likeliest
        assert charlm.load(toy.folder).rank(["aoea", "xyz"], label=label)[0].text == likeliest


@pytest.mark.parametrize("command", [("which", "aoea"), ("diff", "aoea")])
def test_models_that_are_compared_have_no_labels(command: tuple[str, str], toy: Trained, names: Trained) -> None:
    name, text = command
    message = one_message(call(name, f"a={names.folder}", f"b={toy.folder}", text), 2, toy.folder, "2 labels")
    assert "--posterior" in message


def test_what_needs_labels_says_so(names: Trained) -> None:
    for words in (("score", "--posterior", "x"), ("eval", "--labels")):
        one_message(call(*words, "--model", names.folder), 2, "--labels")
    with pytest.raises(charlm.CharlmError, match="has no labels"):
        charlm.load(names.folder).posterior("x")
    assert charlm.load(names.folder).labels == []


def test_a_text_to_evaluate_has_the_models_labels(toy: Trained, tmp_path: Path) -> None:
    path = tmp_path / "strange.tsv"
    path.write_text("vowel\ta\nstrange\tb\n")
    one_message(call("eval", path, "--model", toy.folder), 3, "strange.tsv, line 2", "'strange'", "vowel, consonant")
    path.write_text("just a text\n")
    one_message(call("vocab", path, "--model", toy.folder), 3, "strange.tsv, line 1", "no tab")


@pytest.mark.parametrize("form", ["pytorch", "onnx"])
def test_other_programs_have_no_labels(form: str, toy: Trained, names: Trained) -> None:
    if form == "onnx":
        pytest.importorskip("onnx")
    one_message(call("export", "--model", toy.folder, "out", "--to", form), 4, "2 labels", "without --labels")
    assert not Path("out").exists()
    succeed("export", "--model", names.folder, "plain", "--to", "pytorch")
    one_message(call("import", "plain", "--like", toy.folder, "--model", "back"), 4, "2 labels")


def changed(toy: Trained, folder: Path, name: str, change: Callable[[Contents], None]) -> Path:
    """A copy of the run with one file changed on purpose."""
    copy = folder / "copy"
    shutil.copytree(toy.folder, copy)
    found = opened((copy / name).read_bytes())
    change(found)
    (copy / name).write_bytes(sealed(found))
    return copy


def without_labels(found: Contents) -> None:
    found.metadata["text"]["labels"] = False


def shorter(found: Contents) -> None:
    found.tensors["labels.counts"] = found.tensors["labels.counts"][:1]


def twice(found: Contents) -> None:
    name = np.frombuffer(b"vowelvowel", np.uint8)
    found.tensors.update({"labels.data": name, "labels.offsets": np.array([0, 5, 10])})


def unnamed(found: Contents) -> None:
    del found.tensors["labels.data"]


@pytest.mark.parametrize("change", [without_labels, shorter, twice, unnamed])
def test_damaged_labels_are_noticed(change: Callable[[Contents], None], toy: Trained, tmp_path: Path) -> None:
    copy = changed(toy, tmp_path, "model.safetensors", change)
    one_message(call("sample", "--label", "vowel", "--model", copy), 4, "model.safetensors")
    if change is not without_labels:
        again = changed(toy, tmp_path / "state", "training.safetensors", change)
        one_message(call("train", "--resume", "--model", again, "--steps", 999), 4, "training.safetensors")


def test_files_of_before_have_no_labels(names: Trained, tmp_path: Path) -> None:
    """Neither a model's nor a run's says anything of them."""

    def older(found: Contents) -> None:
        place: Any = found.metadata.get("state", {}).get("run", found.metadata)
        del place["model"]["labels"], place["text"]["labels"]

    copy = changed(names, tmp_path, "model.safetensors", older)
    before = succeed("score", "--model", names.folder, "bada").out
    assert succeed("score", "--model", copy, "bada").out == before
    state = changed(names, tmp_path / "state", "training.safetensors", older)
    assert "labels" not in json.dumps(opened((state / "training.safetensors").read_bytes()).metadata)
    succeed("train", "--resume", "--model", state, "--steps", 42, "--quiet")
