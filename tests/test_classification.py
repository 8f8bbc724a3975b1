"""Classifiers in Python: what they learn, what they say, why, and how right they are."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from class_cases import SMALL, reviews, small_classifier, table

import charlm
from charlm.classification import Classifier
from charlm.errors import InputError, ModelError, UsageError
from charlm.labelling.encoding import LONGEST_TEXT, encode_texts
from charlm.labelling.judgements import Judgements
from charlm.nn.label_model import LabelModel

LEVELS = ["word", "char", "token", "byte"]
STRANGE = [
    "",
    " ",
    "bad",
    "\0\x1b[31m bad",
    "not \U0001f600 bad \u202eabc",
    "\u05d0\u05d1 bad",
    "x" * 3000,
    "a\nb\r\nc",
]


@pytest.fixture(scope="module")
def trained() -> Classifier:
    """A classifier that has learnt its task."""
    return charlm.train_classifier(examples=reviews(), epochs=12, **SMALL)  # type: ignore[arg-type]  # a plain mapping


@pytest.fixture(scope="module", params=LEVELS)
def any_level(request: pytest.FixtureRequest) -> Classifier:
    """A classifier of each level that has hardly learnt anything."""
    return small_classifier(request.param)


def test_it_learns_what_the_order_of_words_decides(trained: Classifier) -> None:
    found = trained.evaluate(examples=reviews(200, seed=9))
    assert found.accuracy > 0.97
    assert trained.classify("The song was not bad.").label == "good"
    assert trained.classify("The song was bad.").label == "poor"
    assert sorted(trained.labels) == ["good", "poor"]


def test_a_posterior_sums_to_one(any_level: Classifier) -> None:
    for found in any_level.classify(STRANGE):
        assert sum(found.posterior.values()) == pytest.approx(1, abs=1e-6)
        assert found.probability == max(found.posterior.values()) == found.posterior[found.label]


def test_many_texts_are_labelled_as_each_by_itself_and_in_their_order(any_level: Classifier) -> None:
    """Whatever their lengths are: those that are read together have about the same."""
    texts = [text for _, text in reviews(40)] + STRANGE
    together = any_level.classify(texts)
    assert [found.text for found in together] == texts
    for text, found in zip(texts, together, strict=True):
        alone = any_level.classify(text)
        assert alone.label == found.label
        assert (alone.tokens, alone.unknown) == (found.tokens, found.unknown)
        np.testing.assert_allclose(list(alone.posterior.values()), list(found.posterior.values()), atol=1e-5)
    assert any_level.classify([]) == []


def test_unknown_tokens_are_counted(trained: Classifier) -> None:
    found = trained.classify("The xyzzy was plugh.")
    assert (found.tokens, found.unknown) == (6, 2)
    assert trained.classify("").tokens == 1


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("level", ["word", "char"])
def test_contributions_are_the_slopes_of_the_log_odds(level: str, pooling: str) -> None:
    """Central differences: how the log-odds of the label change with the length of a token's embedding."""
    classifier, text = small_classifier(level, pooling=pooling), "The zyx was not bad."
    model, tokenizer = classifier.trained, classifier.trained.tokenizer
    config = model.network.config
    ids = encode_texts([text], tokenizer).ids
    # Each token has an embedding of its own, so that one can be made longer without the others.
    own = LabelModel(type(config)(**{**config.to_json(), "vocabulary": len(ids)}), np.float64)
    for name, view in own.parameters.views.items():
        view[...] = model.network.parameters.views[name][ids if name == "embedding" else ...]
    lanes, _ = encode_texts([text], tokenizer).batch([0], 1, per_token=False)
    distinct = type(lanes)(np.arange(len(ids))[:, None], lanes.text, lanes.begins, lanes.ends)
    embedding = own.parameters.views["embedding"]

    def log_odds(label: int) -> float:
        work = own.new_workspace(len(ids), 1)
        found = own.log_probabilities(work, distinct)[:, 0]
        return float(found[label] - np.log1p(-np.exp(found[label])))

    for label, name in enumerate(model.labels.names):
        why = classifier.why(text, name)
        assert why.label == name
        assert len(why.contributions) == len(ids)
        for place, found in enumerate(why.contributions):
            kept, ends = embedding[place].copy(), []
            for length in (1 + 1e-5, 1 - 1e-5):
                embedding[place] = kept * length
                ends.append(log_odds(label))
            embedding[place] = kept
            assert found.contribution == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-7)
    assert any(abs(each.contribution) > 1e-4 for each in classifier.why(text).contributions)


def test_what_speaks_for_one_of_two_labels_speaks_against_the_other(trained: Classifier) -> None:
    good, poor = (trained.why("The song was not bad.", label).contributions for label in ("good", "poor"))
    np.testing.assert_allclose(
        [each.contribution for each in good], [-each.contribution for each in poor], rtol=1e-6, atol=1e-9
    )


def test_contributions_stand_where_their_tokens_do(any_level: Classifier) -> None:
    for text in [*STRANGE[:-2], "Not  bad,\u00a0is it? <unk> <EOS>", "e\u0301a not-bad"]:
        why = any_level.why(text)
        place = 0
        for each in why.contributions:
            assert place <= each.begin <= each.end <= len(why.text)
            place = each.end
        covered = "".join(why.text[each.begin : each.end] for each in why.contributions)
        if any_level.trained.text.level in ("char", "byte"):
            assert covered == why.text
        else:
            assert re.sub(r"\s", "", covered) == re.sub(r"\s", "", why.text)
        last = why.contributions[-1]
        assert (last.token, last.begin, why.text[last.begin :].strip()) == ("<EOS>", last.end, "")


def test_lines_within_a_text_have_their_places() -> None:
    """Also where a line's end is <EOS>, as for those who start from a language model."""
    for level in ("word", "char", "token"):
        why = small_classifier(level, unit="line").why("bad bus\nnot bad")
        covered = [why.text[each.begin : each.end] for each in why.contributions if each.token not in ("<EOS>", " ")]
        assert "".join(covered) == "badbusnotbad"


def test_a_text_in_capitals_is_read_in_lower_case() -> None:
    why = small_classifier("word", lowercase=True).why("NOT BAD")
    assert why.text == "not bad"
    assert [why.text[each.begin : each.end] for each in why.contributions] == ["not", "bad", ""]


def test_an_unknown_label_has_no_reasons(trained: Classifier) -> None:
    with pytest.raises(UsageError, match=r"there is no label 'fair': the classifier knows good, poor|poor, good"):
        trained.why("bad", "fair")


def test_saved_it_is_the_same(trained: Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path / "saved")
    loaded = charlm.load_classifier(tmp_path / "saved")
    assert loaded.classify(STRANGE) == trained.classify(STRANGE)
    assert repr(loaded) == repr(trained)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "saved").read_bytes() == (tmp_path / "again").read_bytes()


def test_pairs_files_and_folders_train_the_same_classifier(tmp_path: Path) -> None:
    """Only the record of where they came from differs."""
    pairs = reviews(60)
    (tmp_path / "a.tsv").write_text(table(pairs), encoding="utf-8")
    rows = [json.dumps({"stars": label, "body": text}) for label, text in pairs]
    (tmp_path / "a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    for number, (label, text) in enumerate(pairs):
        file = tmp_path / "folder" / label / f"{number:03}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    options = {**SMALL, "steps": 5}
    fields = {"label_field": "stars", "text_field": "body"}
    made = [
        charlm.train_classifier(examples=pairs, **options),  # type: ignore[arg-type]
        charlm.train_classifier(tmp_path / "a.tsv", **options),  # type: ignore[arg-type]
        charlm.train_classifier(tmp_path / "a.jsonl", **options, **fields),  # type: ignore[arg-type]
        charlm.train_classifier(examples=iter(pairs), **options, **fields),  # type: ignore[arg-type]
    ]
    for other in made[1:]:
        assert made[0].classify("bad bus") == other.classify("bad bus")
    # The files of a folder stand in another order, but are no other texts.
    folder = charlm.train_classifier(tmp_path / "folder", **options)  # type: ignore[arg-type]
    assert folder.labels == made[0].labels
    assert folder.trained.record["corpus"]["train_tokens"] > 0


def test_evaluation_counts_what_is_there(trained: Classifier, tmp_path: Path) -> None:
    pairs = [*reviews(30), ("good", "The song was awful."), ("poor", "The room was lovely.")]
    (tmp_path / "a.tsv").write_text(table(pairs), encoding="utf-8")
    (tmp_path / "b.tsv").write_text(table(reviews(10, seed=3)), encoding="utf-8")
    found = trained.evaluate([tmp_path / "a.tsv", tmp_path / "b.tsv"], mistakes=5)
    assert found.texts == 42
    assert [each.texts for each in found.files.values()] == [32, 10]
    given = [trained.classify(text) for _, text in pairs + reviews(10, seed=3)]
    truth = [label for label, _ in pairs + reviews(10, seed=3)]
    right = [one.label == label for one, label in zip(given, truth, strict=True)]
    assert found.accuracy == pytest.approx(np.mean(right))
    costs = [-np.log(one.posterior[label]) for one, label in zip(given, truth, strict=True)]
    assert found.nats_per_text == pytest.approx(np.mean(costs), rel=1e-5)
    assert found.figures.confusion.sum() == 42
    worst = found.mistakes[0]
    assert worst.probability == min(each.probability for each in found.mistakes)
    assert {each.text for each in found.mistakes} >= {"The song was awful.", "The room was lovely."}
    assert {each.where for each in found.mistakes} >= {f"{tmp_path / 'a.tsv'}, line {n}" for n in (31, 32)}
    assert len(json.dumps(found.to_json())) > 100
    assert trained.evaluate(examples=pairs).texts == 32


def test_the_calibration_error_is_that_of_its_definition() -> None:
    def error(confidence: list[float], right: list[bool]) -> float:
        truth, none = np.zeros(len(right), np.int64), np.zeros(len(right))
        return Judgements(truth, truth + ~np.array(right), none, np.array(confidence), none, 1, 0).calibration_error()

    assert error([1.0, 1.0], [True, True]) == 0
    assert error([1.0, 1.0], [True, False]) == pytest.approx(0.5)
    # In one bin what is too sure and what is too unsure make up for each other, in two they do not.
    assert error([0.81, 0.85], [True, True]) == pytest.approx(0.17)
    assert error([0.75, 0.75, 0.75, 0.75], [True, True, True, False]) == pytest.approx(0)
    assert error([1.0, 0.95], [False, True]) == pytest.approx(0.475)
    assert error([0.99, 0.51], [False, True]) == pytest.approx((0.99 + 0.49) / 2)


def test_a_run_in_a_folder_can_be_judged_by_its_own_part(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(table(reviews(80)), encoding="utf-8")
    reports: list[object] = []
    options = {**SMALL, "steps": 4}
    made = charlm.train_classifier(
        tmp_path / "a.tsv",
        folder=tmp_path / "run",
        report=reports.append,
        **options,  # type: ignore[arg-type]
    )
    found = made.evaluate()
    assert found.texts == 8
    assert found.nats_per_text == pytest.approx(made.trained.record["valid_nats_per_token"], rel=1e-6)
    assert len(reports) >= 4
    (tmp_path / "a.tsv").write_text(table(reviews(81)), encoding="utf-8")
    with pytest.raises(InputError, match="has changed"):
        made.evaluate()
    with pytest.raises(InputError, match="not here"):
        small_classifier().evaluate()


def test_labels_may_be_judged_each_by_itself() -> None:
    """A sigmoid's probabilities need not sum to one, and what a text costs is that of all labels."""
    classifier = small_classifier(output="sigmoid")
    found = classifier.classify("The song was fine.")
    assert abs(sum(found.posterior.values()) - 1) > 1e-6
    cost = classifier.evaluate(examples=[("good", "The song was fine.")] * 2).nats_per_text
    chances = found.posterior
    assert cost == pytest.approx(-np.log(chances["good"]) - np.log(1 - chances["poor"]), rel=1e-5)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([("good", "a"), ("good", "b")], "the examples holds no label but 'good': there is nothing to tell apart"),
        ([("good", "a"), ("poor", " ")], "the examples, line 2: the text is empty"),
        ([("good", "a"), ("", "b")], "the examples, line 2: the label is empty"),
        ([], "the examples holds no text"),
    ],
)
def test_examples_that_cannot_be_learnt_from(examples: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(InputError) as error:
        charlm.train_classifier(examples=examples)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("examples", [["good\ta"], [("good", "a", "b")], [("good", 3)]])
def test_examples_that_are_no_pairs(examples: list[object]) -> None:
    with pytest.raises(UsageError, match=r"number 1 is .* must be a pair of a label and a text"):
        charlm.train_classifier(examples=examples)  # type: ignore[arg-type]  # that is wrong


def test_what_is_given_must_be_one_thing(trained: Classifier, tmp_path: Path) -> None:
    for arguments in ({}, {"corpus": tmp_path, "examples": reviews(3)}):
        with pytest.raises(UsageError, match="give either"):
            charlm.train_classifier(**arguments)  # type: ignore[arg-type]  # as it should not be
    with pytest.raises(UsageError, match="give either"):
        trained.evaluate(tmp_path, examples=reviews(3))
    with pytest.raises(UsageError, match="is no path"):
        trained.evaluate("good\tThe song was fine.\n")


def test_a_label_that_did_not_occur_in_training_is_named(trained: Classifier) -> None:
    with pytest.raises(InputError, match="the examples, line 2: the label 'fair' did not occur in training"):
        trained.evaluate(examples=[("good", "fine"), ("fair", "fine")])


def test_a_rare_label_is_learnt_from_and_not_only_validated_with() -> None:
    """Wherever the draw would have it."""
    for seed in range(1, 6):
        pairs = [*reviews(12), ("rare", "We came by bus.")]
        made = charlm.train_classifier(examples=pairs, seed=seed, **SMALL, steps=2)  # type: ignore[arg-type]
        assert "rare" in made.labels


def test_models_of_other_kinds_are_named(tmp_path: Path) -> None:
    language = charlm.train(text="abcabcabc\n" * 20, steps=2, hidden=4, embedding=4, folder=tmp_path / "language")
    with pytest.raises(ModelError, match="is a language model, not a classifier"):
        charlm.load_classifier(tmp_path / "language")
    small_classifier().save(tmp_path / "classifier")
    for load in (charlm.load, charlm.load_tagger):
        with pytest.raises(ModelError, match="is a classifier, not a"):
            load(tmp_path / "classifier")
    assert language.level == "char"


@pytest.mark.parametrize("level", ["word", "char", "byte"])
def test_of_a_very_long_text_the_ends_are_read(level: str) -> None:
    """So memory is bounded; the reasons say of the same tokens where they stand."""
    classifier = small_classifier(level)
    long, short = "a " * 20_000 + "bad", "a " * 10 + "bad"
    found = classifier.classify([short, long])
    assert [each.cut for each in found] == [False, level != "word"]
    assert found[1].tokens == (20_002 if level == "word" else LONGEST_TEXT)
    if level != "char":
        return
    why = classifier.why(long)
    assert len(why.contributions) == LONGEST_TEXT
    half = LONGEST_TEXT // 2
    assert [each.begin for each in why.contributions[:half]] == list(range(half))
    assert why.contributions[half].begin == len(long) - (half - 1)
    assert why.contributions[-1].begin == len(long)
