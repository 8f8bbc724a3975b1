"""Options that adapt a model to what it reads, which ``score``, ``eval``, ``rank``, ``sample`` and ``tune`` have."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charlm.cli.choices import Choice, chosen, typed
from charlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charlm.adapting.kept import Tuned
    from charlm.checkpoint import TrainedModel
    from charlm.scorer import Scorer

_TUNED = "as tuned; untuned: "
MECHANISMS = (
    Choice("dynamic", str, ("--dynamic",), "Go on learning from the text as it is read: rms (as tuned) or sgd."),
    Choice("dynamic_lr", float, ("--dynamic-lr",), "With --dynamic: the learning rate.", _TUNED + "0.0005; sgd: 0.05"),
    Choice("dynamic_decay", float, ("--dynamic-decay",),
           "With --dynamic: the share of the way back to the trained weights that each step goes.",
           _TUNED + "0.001"),
    Choice("dynamic_segment", int, ("--dynamic-segment",), "With --dynamic: tokens between two steps.", _TUNED + "20"),
    Choice("cache", int, ("--cache",), "Also predict what came after similar states, of so many tokens before."),
    Choice("cache_theta", float, ("--cache-theta",), "With --cache: how sharply it tells near states from far ones.",
           _TUNED + "0.3"),
    Choice("cache_share", float, ("--cache-share",), "With --cache: the share of its probabilities.", _TUNED + "0.1"),
    Choice("mix", list[str], ("--mix",), "Mix in another model of the same vocabulary; may be given several times."),
    Choice("weights", str, ("--weights",),
           "With --mix: the share of each, with commas between them; the rest is the model's.", _TUNED + "even"),
    Choice("ngrams", Path, ("--ngrams",), "Mix in a counting model of the same vocabulary, of charlm ngram train."),
    Choice("ngram_share", float, ("--ngram-share",), "With --ngrams: the share of its probabilities.", _TUNED + "0.3"),
)  # fmt: skip
"""What adapts a model, and the numbers of it."""
ADAPTING = (*MECHANISMS, Choice("tuned", bool, ("--tuned",), "Adapt by all that charlm tune has kept with the model."))
"""The same, for commands that use what was tuned."""


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options that adapt a model out of all that a command was given; checked as far as that needs no model.

    Raises:
        UsageError: some do not go together, or one is out of its range.
    """
    found = chosen({each.name: given.pop(each.name) for each in ADAPTING if each.name in given})
    if not found:
        return found
    from charlm.adapting.options import check  # noqa: PLC0415 - what adapts nothing does without

    if "weights" in found:
        found["weights"] = _numbers(found["weights"])
    check(found)
    return found


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--weights is {text!r}: give numbers from 0 to below 1 with commas between them, such as 0.3,0.2"
        ) from error


def check_apart(asked: dict[str, Any], others: Mapping[str, object]) -> None:
    """Check that nothing stands beside options that adapt which is of the model as it was trained.

    Args:
        asked: what ``taken`` gave.
        others: flags, and what is true of those that were given.

    Raises:
        UsageError: something does.
    """
    wrong = [flag for flag, there in others.items() if there]
    if asked and wrong:
        what = "is" if len(wrong) == 1 else "are"
        raise UsageError(
            f"{', '.join(wrong)} {what} of the model as it was trained: leave out {typed(asked, ADAPTING)[0]}"
        )


def adapted(trained: "TrainedModel", path: Path, asked: dict[str, Any]) -> "Scorer":
    """What scores texts: a model as it adapts to what it reads, or itself where nothing was asked for.

    Args:
        trained: the model, under its label.
        path: where it stands.
        asked: what ``taken`` gave.

    Raises:
        UsageError: what was asked for does not fit the model.
        ModelError: another model cannot be read, or what was tuned was tuned for another one.
    """
    if not asked:
        return trained
    from charlm.adapting.applying import adapt  # noqa: PLC0415 - NumPy is loaded only when it is used

    return adapt(trained, path, asked)


def tuned_lines(found: "Tuned") -> "Iterator[str]":
    """What was tuned, and what it brought, a line each."""
    how, first = found.adaptation, found.results[0].nats_per_token
    if how.dynamic is not None:
        each = how.dynamic
        yield (
            f"dynamic        {each.method}: --dynamic-lr {each.lr:.4g} --dynamic-decay {each.decay:.4g} "
            f"--dynamic-segment {each.segment}"
        )
    if how.cache is not None:
        cache = how.cache
        yield f"cache          {cache.size:,}: --cache-theta {cache.theta:.4g} --cache-share {cache.share:.4g}"
    if how.ngrams is not None:
        yield f"ngrams         {how.ngrams.path}: --ngram-share {how.ngrams.weight:.4g}"
    if how.models is not None:
        for path, weight in zip(how.models.paths, how.models.weights, strict=True):
            yield f"mix            {path}: share {weight:.4g}"
    yield f"nats a token   on {found.text}, {found.tokens:,} tokens"
    for result in found.results:
        yield f"  {result.what:<28} {result.nats_per_token:8.4f} {result.nats_per_token - first:+8.4f}"
