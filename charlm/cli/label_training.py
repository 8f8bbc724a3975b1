"""Taggers and classifiers as ``charlm tag train`` and ``charlm classify train`` train them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from charlm.cli.console import counted, note
from charlm.cli.progress import View
from charlm.cli.runs import Trainable
from charlm.labelling.encoding import LONGEST_TEXT
from charlm.labelling.predicting import LabelCost
from charlm.scoring import Cost
from charlm.text.vocabulary import UNK
from charlm.training.label_choices import check_label_options, label_options_of, label_picks
from charlm.training.label_options import LABEL_OPTIONS
from charlm.training.label_setup import begin_labels, resume_labels
from charlm.training.labels import LabelSubject
from charlm.training.run import Run

MUCH_UNKNOWN = 0.3
"""Share of <UNK> among the training tokens beyond which a warning is due."""
SHOWN = 8
"""Labels that are shown with their counts."""


def trainable(kind: str, command: str, live: Callable[[Run[LabelSubject]], str]) -> Trainable[LabelSubject]:
    """A tagger or a classifier as a command trains it.

    Args:
        kind: which of the two.
        command: "tag train" or "classify train".
        live: what the present weights do, shown at every validation.
    """
    return Trainable(
        kind,
        command,
        LABEL_OPTIONS[kind],
        partial(check_label_options, kind),
        partial(begin_labels, kind),
        partial(resume_labels, kind),
        label_options_of,
        _announce,
        lambda run: View(command, "a label", _figures, lambda: live(run)),
    )


def _figures(cost: Cost) -> str:
    return f", {cost.accuracy:.2%} right" if isinstance(cost, LabelCost) else ""


def _announce(run: Run[LabelSubject], options: Mapping[str, Any]) -> None:
    """Say what was found and what is about to be done."""
    corpus, model, plan = run.subject.corpus, run.subject.model, run.train
    what = "sentence" if corpus.text.per_token else "text"
    train, valid = corpus.train, corpus.valid
    note(
        f"training on {counted(len(train), what)}, {counted(len(train.ids), 'token')}; "
        f"validating on {counted(len(valid), what)}, {counted(len(valid.ids), 'token')}"
    )
    _announce_labels(run)
    unknown = f", {corpus.unknown / len(train.ids):.1%} of the tokens are <UNK>" if corpus.unknown else ""
    spelt = f", spelt with {counted(len(corpus.characters), 'character')}" if corpus.characters is not None else ""
    note(f"vocabulary of {counted(len(corpus.vocabulary), 'token')}{unknown}{spelt}")
    if not corpus.vocabulary.raw and (train.ids == UNK).mean() > MUCH_UNKNOWN:
        note("so many unknown tokens make a model that knows little: lower --min-count, or add --chars where there is")
    long = 0 if corpus.text.per_token else int((train.lengths >= LONGEST_TEXT).sum())
    if long:
        note(f"of {counted(long, 'text')} only the first and the last {LONGEST_TEXT // 2:,} tokens are read")
    chosen = label_picks(options, corpus, model, plan)
    if chosen:
        note(f"chosen for {counted(len(train.ids), 'token')}, unless you name another: {' '.join(chosen)}")
    length = f"{plan.seconds:g} seconds" if plan.steps is None else counted(plan.steps, "step")
    base = f" from {run.about['base']['path']}" if run.about["base"] else ""
    ways = "both ways" if model.bidirectional else "one way"
    size = counted(len(run.trainer.parameters), "parameter")
    note(
        f"{model.cell} {ways}: {model.layers} x {model.hidden}{base}, {size}; "
        f"{length} of about {plan.batch} x {plan.window} tokens; writing {run.folder.path}"
    )


def _announce_labels(run: Run[LabelSubject]) -> None:
    corpus = run.subject.corpus
    labels = corpus.labels
    pairs = [f"{name} {count:,}" for name, count in zip(labels.names, labels.counts.tolist(), strict=True)]
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    scheme = f", entities as {corpus.text.scheme}" if labels.entities else ""
    note(f"{counted(len(labels), 'label')}: {', '.join(pairs[:SHOWN])}{more}{scheme}")
