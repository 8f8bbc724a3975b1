"""KenLM's Python module reads charlm's ARPA files, and says the same of lines; it is in the extra ``bench``."""

from pathlib import Path

import numpy as np
import pytest
from bench.held_out import KNOWN, PERPLEXITY
from bench.ngram_files import write_files
from bench.ngrams import AGREEMENT

from charlm.ngram.arpa import LOG10, write_arpa
from charlm.ngram.model import NGramModel
from charlm.ngram.spelling import words_of
from charlm.text.corpus import Corpus
from charlm.text.sources import find_texts
from charlm.training.ngrams import count_texts

pytest.importorskip("kenlm")
from bench import kenlm_engine, ngrams_engine

TEXT = """der alte Fuchs schläft 🦊
der Fuchs frisst
ein 👩\u200d🚀 schläft, der Fuchs nicht
\u00a0der alte 🦊 frisst </s> nicht
"""
LINES = [
    "der alte Fuchs schläft",
    "",
    "der Dachs frisst",
    "👩‍🚀 🦊 🦖",
    "zzz",
    "🦊",
    " der  Fuchs ",
    "<s> der </s> <unk>",
]


def counted(folder: Path, level: str) -> tuple[NGramModel, Corpus]:
    path = folder / "text.txt"
    path.write_text(TEXT * 5, encoding="utf-8")
    options = {"level": level, "order": 4, "independent_lines": True, "min_count": 1}
    return count_texts(lambda encoding: find_texts([str(path)], encoding=encoding), options)


@pytest.mark.parametrize("level", ["word", "char", "token"])
def test_full_scores_are_those_of_charlm(level: str, tmp_path: Path) -> None:
    """Also of unknown tokens, of lines without any, of emoji and of what looks like the format's own words."""
    model = counted(tmp_path, level)[0]
    words = words_of(model.tokenizer.vocabulary)
    arpa = tmp_path / "model.arpa"
    arpa.write_bytes("".join(write_arpa(model.trie, model.smoothed, words)).encode())
    peer = kenlm_engine.load(str(arpa))
    judged = model.judge_lines(LINES)
    for place in range(len(LINES)):
        part = slice(*judged.bounds[place : place + 2])
        spelt = " ".join(words[token] for token in judged.ids[part][:-1])
        theirs = list(peer.full_scores(spelt, bos=True, eos=True))
        np.testing.assert_allclose(judged.log_probabilities[part] / LOG10, [each[0] for each in theirs], atol=1e-5)
        assert judged.orders[part].tolist() == [each[1] for each in theirs]
        assert (judged.ids[part] == 1).tolist() == [each[2] for each in theirs]
        assert judged.totals[place] / LOG10 == pytest.approx(peer.score(spelt), abs=1e-4)


def test_both_sides_of_the_benchmark_come_to_the_same_perplexities(tmp_path: Path) -> None:
    model, corpus = counted(tmp_path, "word")
    files = write_files(tmp_path, model, corpus)
    ours = ngrams_engine.judging(model=files.own, lines=files.text)
    for task in (kenlm_engine.scoring, kenlm_engine.full_scoring):
        theirs = task(model=files.arpa, lines=files.words)
        theirs.step()
        assert theirs.amount == ours.amount
        for figure in (PERPLEXITY, KNOWN):
            assert theirs.figures[figure] == pytest.approx(ours.figures[figure], rel=AGREEMENT)
