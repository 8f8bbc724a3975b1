"""The commands that score and compare, and the same from Python: one result."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from cli_cases import Trained, names_text, prose_text, succeed

import charlm
from charlm.errors import InputError, UsageError

TEXT = 'the "river" was </script> é'


def test_scores_and_costs_with_words_that_share(prose: Trained) -> None:
    model = charlm.load(prose.folder)
    words = ("--model", prose.folder, "--unk-vocabulary", 30, "--json")
    assert model.score(TEXT, unk_vocabulary=30).to_json() == succeed("score", TEXT, *words).json
    Path("own.txt").write_text(TEXT + "\n", encoding="utf-8")
    cost = succeed("eval", "own.txt", *words).json
    assert model.evaluate("own.txt", unk_vocabulary=30).to_json() == cost
    assert model.evaluate(text=TEXT, unk_vocabulary=30).to_json() == cost


def test_templates_and_pairs(names: Trained) -> None:
    model = charlm.load(names.folder)
    template = "{ba|be}na{|na}"
    ranked = [each.to_json() for each in model.rank(charlm.expand(template))]
    assert ranked == succeed("rank", "--template", template, "--model", names.folder, "--json").json

    pairs = [charlm.Pair(word, word[::-1], "odd" if len(word) % 4 else None) for word in names_text(20).split()]
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad, "UID": pair.group or "even"} for pair in pairs]
    Path("pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    *objects, summary = succeed("rank", "--pairs", "pairs.jsonl", "--model", names.folder, "--json").objects
    judged = model.judge(pairs)
    assert [each.right for each in judged] == [each["right"] for each in objects]
    overall, groups = charlm.accuracies(judged)
    assert overall.to_json() == summary["all"]
    assert {name: found.to_json() for name, found in groups.items()} == {
        name: found for name, found in summary["groups"].items() if name != "even"
    }


def test_labelled_texts(names: Trained, prose: Trained) -> None:
    models = {"names": charlm.load(names.folder), "prose": charlm.load(prose.folder)}
    rows = [("names", name) for name in names_text(5).split()]
    rows += [("prose", line) for line in prose_text(5).splitlines() if line]
    rows += [("prose", names_text(1).strip())]
    Path("texts.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    words = (f"names={names.folder}", f"prose={prose.folder}", "--prior", "names=3,prose=1", "--json")
    *_, summary = succeed("which", *words, "--labelled", "texts.tsv").objects
    found = charlm.confusion(models, rows, priors={"names": 3, "prose": 1})
    assert found.to_json() == summary
    assert found.right == len(rows) - 1
    with pytest.raises(UsageError, match="'others', which is none of the models: names, prose"):
        charlm.confusion(models, [("others", "a")])


def test_pages_and_units(prose: Trained) -> None:
    model = charlm.load(prose.folder)
    succeed("score", TEXT, "--model", prose.folder, "--heatmap", "page.html")
    assert model.heatmap(TEXT, title="1 text").encode() == Path("page.html").read_bytes()
    succeed("score", "a", "b", "--model", prose.folder, "--heatmap", "page.html")
    assert model.heatmap(["a", "b"], title="2 texts").encode() == Path("page.html").read_bytes()

    text = prose_text(20)
    Path("own.txt").write_text(text, encoding="utf-8")
    words = ("neurons", "--file", "own.txt", "--model", prose.folder, "--what", "cell", "--best", 3, "--json")
    for option, found in (
        (("--find", "place"), model.find_units(text, "place", part="cell", best=3)),
        (("--find-regex", "r."), model.find_units(text, find_regex="r.", part="cell", best=3)),
    ):
        units = [{"unit": unit.name, "first_half": unit.first, "second_half": unit.second} for unit in found.units]
        assert units == succeed(*words, *option).json["units"]
    for find, find_regex in ((None, None), ("place", "r"), ("nothing", None)):
        with pytest.raises(UsageError, match="find"):
            model.find_units(text, find, find_regex=find_regex)
    with pytest.raises(InputError, match="empty"):
        model.find_units("", "place")


def test_counting_models(prose: Trained, tmp_path: Path) -> None:
    succeed("ngram", "train", prose.corpus, "--model", "counts", "--order", 3, "--quiet")
    mine, theirs = charlm.train_ngrams(prose.corpus, order=3), charlm.load_ngrams("counts")
    mine.save(tmp_path / "mine.safetensors")
    assert (tmp_path / "mine.safetensors").read_bytes() == Path("counts/model.safetensors").read_bytes()
    assert (mine.order, mine.trained.text) == (3, theirs.trained.text)
    assert repr(mine) == f"<charlm.NGrams order 3, {len(mine.trained.tokenizer)} tokens at char level>"

    scores = succeed("ngram", "score", "the river", "é", "--model", "counts", "--per-token", "--json").objects
    found = theirs.score(["the river", "é"], per_token=True)
    assert json.loads(json.dumps([each.to_json() for each in found], default=vars)) == scores
    # A file holds float32.
    assert mine.score("the river").logprob == pytest.approx(scores[0]["logprob"], rel=1e-5)
    assert theirs.evaluate().to_json() == succeed("ngram", "eval", "--model", "counts", "--json").json
    Path("own.txt").write_text("the river\n", encoding="utf-8")
    cost = succeed("ngram", "eval", "own.txt", "--model", "counts", "--json").json
    assert theirs.evaluate("own.txt").to_json() == theirs.evaluate(text="the river").to_json() == cost

    words = ("--model", "counts", "--unk-vocabulary", 9, "--json")
    assert theirs.score("é", unk_vocabulary=9).to_json() == succeed("ngram", "score", "é", *words).json
    assert theirs.evaluate("own.txt", unk_vocabulary=9).to_json() == succeed("ngram", "eval", "own.txt", *words).json
    assert theirs.score("é", unk_vocabulary=9).logprob == pytest.approx(theirs.score("é").logprob - math.log(9))

    theirs.write_arpa("mine.arpa")
    succeed("ngram", "export", "theirs.arpa", "--model", "counts")
    assert Path("mine.arpa").read_bytes() == Path("theirs.arpa").read_bytes()
    back = charlm.read_arpa("mine.arpa", level="char")
    assert back.score("the river").logprob == pytest.approx(mine.score("the river").logprob, rel=1e-5)
    with pytest.raises(UsageError, match="either"):
        charlm.train_ngrams()
    with pytest.raises(UsageError, match="--order is 0"):
        charlm.train_ngrams(text=prose_text(), order=0)


def test_all_of_it_says_what_it_is_for() -> None:
    """Whatever ``import charlm`` shows has a docstring, and so has every public method of a model."""
    shown = [getattr(charlm, name) for name in charlm.__all__ if name != "__version__"]
    methods = [
        getattr(kind, name) for kind in (charlm.Model, charlm.NGrams) for name in vars(kind) if not name.startswith("_")
    ]
    assert all((each.__doc__ or "").strip() for each in [*shown, *methods])
