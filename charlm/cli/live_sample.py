"""What a language model in training writes: shown at every validation."""

import numpy as np

from charlm.cli.progress import View
from charlm.sampling.config import SamplingConfig
from charlm.sampling.stream import sample
from charlm.training.language import LanguageSubject
from charlm.training.run import Run

SAMPLE_LENGTH = 160
SAMPLE_WORDS = 30
SAMPLE_LINES = 5
LONGEST_NAME = 40


def language_view(run: Run[LanguageSubject]) -> View:
    """How the training of a language model is shown."""
    return View("train", "a token", lambda _: "", lambda: _live_sample(run))


def _live_sample(run: Run[LanguageSubject]) -> str:
    """A sample from the present weights, indented."""
    corpus, network = run.subject.corpus, run.subject.work.network
    lines, tokenizer, labels = corpus.independent_lines, corpus.tokenizer, corpus.labels
    never = () if tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    length = SAMPLE_LENGTH if tokenizer.level in ("char", "byte") else SAMPLE_WORDS
    config = SamplingConfig(length, 0.8, never, (tokenizer.eos_id,) if lines else ())
    nothing, step = np.zeros(0, np.int64), run.trainer.progress.step
    texts = []
    for index in range(SAMPLE_LINES if lines else 1):
        label = (step + index) % max(len(labels), 1)
        under = network.under(label) if labels else network
        ids = list(sample(under, nothing, config, (step, index)))
        text = tokenizer.decode(np.array(ids, np.int64)).strip("\n")
        texts.append(_harmless(f"{labels[label]}: {text}" if labels else text))
    # Names stand side by side, sentences one below another.
    between = ", " if max(map(len, texts)) <= LONGEST_NAME else "\n"
    rows = between.join(texts).split("\n")[:SAMPLE_LINES]
    return "\n".join(f"    {row}" for row in rows)


def _harmless(text: str) -> str:
    """The text with what could command the terminal replaced by dots."""
    return "".join(c if c.isprintable() or c in "\n\t" else "." for c in text)
