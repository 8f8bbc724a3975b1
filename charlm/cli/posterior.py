"""The probability of every label of a text, by Bayes' rule, as ``charlm score --posterior`` shows it."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import note, result, result_json, shown_text, visible
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.bayes import Posterior
    from charlm.checkpoint import TrainedModel
    from charlm.text.long import Text

PRIORS = ("trained", "uniform")
"""The same as in ``charlm.bayes``, which --help need not load."""
PriorOption = Annotated[
    str | None,
    typer.Option(
        "--prior",
        help="P(label): as in the texts trained on (trained), or the same for all (uniform).",
        show_default=PRIORS[0],
    ),
]


def check_prior(prior: str | None, *, asked: bool, flag: str, has_labels: bool) -> None:
    """Check that probabilities of labels are asked for where a prior is named, and of a model that has some.

    Args:
        prior: what was named, if anything was.
        asked: whether they are asked for.
        flag: the option that asks for them.
        has_labels: whether the model has labels.

    Raises:
        UsageError: that is not so, or there is no such prior.
    """
    from charlm.config import choose  # noqa: PLC0415 - --help needs none of this

    if prior is not None and not asked:
        raise UsageError(f"--prior goes with {flag}: add it, or leave --prior out")
    if prior is not None:
        choose("--prior", prior, PRIORS)
    if asked and not has_labels:
        raise UsageError(f"{flag} goes with a model of texts with labels, trained with charlm train --labels")


def show_posteriors(
    trained: "TrainedModel", texts: Iterator["Text"], together: int, prior: str | None, *, as_json: bool
) -> None:
    """Write what a model thinks of texts' labels, so many texts at a time."""
    from charlm.bayes import posteriors  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.long import text_in_memory  # noqa: PLC0415 - likewise

    number = 0
    while group := list(map(text_in_memory, islice(texts, together))):
        for each in posteriors(trained, group, prior or PRIORS[0]):
            if as_json:
                result_json({**each.to_json(), "prior_from": prior or PRIORS[0]})
            else:
                _show(each, first=not number)
            number += 1
    if not number:
        note("there was nothing to score")


def _show(found: "Posterior", *, first: bool) -> None:
    """A table of the labels, the likeliest first, and above it the text."""
    if not first:
        result("")
    result(shown_text(found.text))
    result(f"{'probability':>12} {'prior':>8} {'nats':>12}  label")
    for name in sorted(found.probabilities, key=lambda name: -found.probabilities[name]):
        numbers = f"{found.probabilities[name]:12.4f} {found.prior[name]:8.4f} {found.logprobs[name]:12.4f}"
        result(f"{numbers}  {visible(name)[1:-1]}")
