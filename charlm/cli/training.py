"""Language models as ``charlm train`` trains them."""

from typing import Any

from charlm import checkpoint
from charlm.cli.console import counted, note
from charlm.cli.live_sample import language_view
from charlm.cli.progress import in_bits
from charlm.cli.runs import Trainable
from charlm.text.tokens import MOST_TYPES
from charlm.training.again import options_of
from charlm.training.checks import check
from charlm.training.choices import SPEED, picks, shrunk
from charlm.training.language import LanguageSubject
from charlm.training.ngrams import baseline
from charlm.training.options import TYPES_AND_MEANINGS
from charlm.training.run import Run
from charlm.training.setup import begin, resume

SHOWN_LABELS = 20
MUCH_UNKNOWN = 0.3
"""Share of <UNK> among the training tokens beyond which a warning is due."""


def _announce(run: Run[LanguageSubject], options: Any) -> None:
    """Say what was found and what is about to be done."""
    corpus, subject = run.subject.corpus, run.subject
    train, valid = corpus.train, corpus.valid
    if corpus.independent_lines:
        why = "looks like a list: each line is a text of its own (--no-independent-lines: one text)"
        blank = f"; {counted(corpus.blank_lines, 'blank line')} left out" if corpus.blank_lines else ""
        note(f"{corpus.name} {why if corpus.detected else 'is read as independent lines'}{blank}")
        if corpus.labels:
            counts = zip(corpus.labels, corpus.label_counts.tolist(), strict=True)
            shown = ", ".join(f"{name} ({count:,})" for name, count in list(counts)[:SHOWN_LABELS])
            note(f"{len(corpus.labels):,} labels: {shown}{', ...' if len(corpus.labels) > SHOWN_LABELS else ''}")
    elif subject.text.unit == "line" and corpus.detected:
        note(f"{corpus.name} is read as one text, line after line (--independent-lines: each line a text of its own)")
    note(
        f"training on {counted(train.lines, 'line')}, {counted(train.characters, 'character')}; "
        f"validating on {counted(valid.lines, 'line')}, {counted(valid.characters, 'character')}"
    )
    _announce_vocabulary(run)
    chosen = picks(options, run)
    speed = run.about.get(SPEED)
    if speed is not None:
        note(f"planned by time: this machine reads {speed:,.0f} tokens a second in training")
    if chosen:
        note(f"chosen for {counted(len(train), 'token')}, unless you name another: {' '.join(chosen)}")
    if "level" not in options and not run.about["base"] and subject.text.level == "token":
        note("<unk> stands in the text, so it is taken for tokenised already (--level char: its characters)")
    for change in shrunk(options, run):
        note(f"the text is shorter than a step: {change}")
    model, plan = subject.model, run.train
    length = f"{plan.seconds:g} seconds" if plan.steps is None else counted(plan.steps, "step")
    base = f" from {run.about['base']['path']}" if run.about["base"] else ""
    size = counted(len(run.trainer.parameters), "parameter")
    note(
        f"{model.kind}: {model.layers} x {model.hidden}{base}, {size}; "
        f"{length} of {plan.batch} x {plan.window} tokens; writing {run.folder.path}"
    )
    found = baseline(corpus, subject.text, plan.seconds)
    if found is not None:
        order, nats = found
        note(f"to beat: {order}-grams of the same text, {nats:.4f} nats a token {in_bits(nats)}")


def _announce_vocabulary(run: Run[LanguageSubject]) -> None:
    corpus = run.subject.corpus
    dropped = corpus.dropped_types
    kind = "type the model does not know" if run.about["base"] else "rare type"
    plural = "types the model does not know" if run.about["base"] else "rare types"
    unknown = f", {counted(dropped, kind, plural)} read as <UNK>" if dropped else ""
    share = f", {corpus.train.unknown / len(corpus.train):.1%} of the tokens" if dropped else ""
    if dropped and run.about["base"]:
        share += " (--extend-vocab adds them)"
    missing = f"; {counted(corpus.valid.unknown, 'validation token')} unknown" if corpus.valid.unknown else ""
    note(f"vocabulary of {counted(len(corpus.tokenizer), 'token')}{unknown}{share}{missing}")
    if corpus.train.unknown > MUCH_UNKNOWN * len(corpus.train):
        note("so many unknown tokens make a model that knows little, however low its figures: lower the limits")
    if corpus.overflowed:
        note(f"more distinct tokens than are told apart (some {MOST_TYPES:,}): later ones were read as <UNK>")


def _options_of(run: Run[LanguageSubject]) -> dict[str, Any]:
    subject = run.subject
    return options_of(subject.model, subject.text, run.train.to_json(), run.about)


LANGUAGE_MODEL = Trainable(
    checkpoint.LANGUAGE_MODEL, "train", TYPES_AND_MEANINGS, check, begin, resume, _options_of, _announce, language_view
)
"""What ``charlm train`` trains."""
