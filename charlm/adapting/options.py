"""What a model adapts by, as people say it: which mechanisms, in which numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Any, TypedDict, TypeVar

from charlm.errors import UsageError
from charlm.prediction.config import METHODS, Adaptation, Cache, Counts, Dynamic, Models

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "dynamic": ("dynamic_lr", "dynamic_decay", "dynamic_segment"),
    "cache": ("cache_theta", "cache_share"),
    "mix": ("weights",),
    "ngrams": ("ngram_share",),
}
"""The mechanisms -> the numbers of each."""
UNTUNED = {"rms": Dynamic("rms"), "sgd": Dynamic("sgd", lr=0.05, decay=0.001)}
"""Dynamic evaluation in the numbers that are used where none was given or tuned."""
NGRAM_SHARE = 0.3
"""Of n-grams, likewise."""
PartT = TypeVar("PartT", Dynamic, Cache)


class AdaptOptions(TypedDict, total=False):
    """Everything about adapting that can be chosen; what is missing is as tuned, or a default.

    dynamic: go on learning from the text as it is read, by "rms" or "sgd".
    dynamic_lr: its learning rate.
    dynamic_decay: the share of the way back to the trained weights that each step goes.
    dynamic_segment: tokens between two steps.
    cache: also predict what followed similar states among so many tokens before.
    cache_theta: how much more similar states count.
    cache_share: the share of the cache's probabilities.
    mix: paths of other models of the same vocabulary.
    weights: the share of each of them; the rest is the model's own.
    ngrams: path of a counting model of the same vocabulary.
    ngram_share: the share of its probabilities.
    tuned: whether to adapt by all that was tuned.
    """

    dynamic: str
    dynamic_lr: float
    dynamic_decay: float
    dynamic_segment: int
    cache: int
    cache_theta: float
    cache_share: float
    mix: str | PathLike[str] | Sequence[str | PathLike[str]]
    weights: Sequence[float]
    ngrams: str | PathLike[str]
    ngram_share: float
    tuned: bool


def flag_of(name: str) -> str:
    """What an option is called on the command line."""
    return f"--{name.replace('_', '-')}"


def check(options: Mapping[str, Any]) -> None:
    """Check options by themselves, before anything is read.

    Raises:
        UsageError: one is unknown or out of its range, or says more of one that was not given.
    """
    strange = sorted(set(options) - set(AdaptOptions.__annotations__))
    if strange:
        known = ", ".join(AdaptOptions.__annotations__)
        raise UsageError(f"a model adapts by no {', '.join(strange)}: there are {known}")
    if options.get("dynamic", METHODS[0]) not in METHODS:
        raise UsageError(f"--dynamic is {options['dynamic']!r}: choose one of {', '.join(METHODS)}")
    # Where all is to be as tuned, any number may say more of what was.
    if not options.get("tuned"):
        adaptation_of(options)


def complete(options: Mapping[str, Any]) -> bool:
    """Whether options say all: nothing that may have been tuned is missing."""
    numbers = [name for mechanism, some in NUMBERS.items() if mechanism in options for name in some]
    wanted = options.get("tuned") or options.get("dynamic") == "rms"
    return not wanted and all(name in options for name in numbers)


def adaptation_of(options: Mapping[str, Any], tuned: Adaptation | None = None) -> Adaptation:
    """What options mean: numbers that were not given are those tuned of the same mechanism, or else defaults.

    Args:
        options: those of ``AdaptOptions``.
        tuned: what was tuned, if anything.

    Raises:
        UsageError: a number is out of its range, or says more of a mechanism that was not asked for.
    """
    known, every = tuned or Adaptation(), bool(options.get("tuned"))
    ngrams = _ngrams(options, known.ngrams, every=every)
    found = Adaptation(
        dynamic=_dynamic(options, known.dynamic, every=every),
        cache=_cache(options, known.cache, every=every),
        ngrams=ngrams,
        models=_models(options, known.models, 1 - (ngrams.weight if ngrams else 0), every=every),
    )
    there = {"dynamic": found.dynamic, "cache": found.cache, "mix": found.models, "ngrams": found.ngrams}
    for mechanism, numbers in NUMBERS.items():
        alone = [flag_of(name) for name in numbers if name in options]
        if alone and there[mechanism] is None:
            raise UsageError(f"{', '.join(alone)}: only with {flag_of(mechanism)}, which is not given")
    return found


def _dynamic(options: Mapping[str, Any], tuned: Dynamic | None, *, every: bool) -> Dynamic | None:
    method = options.get("dynamic")
    if method is None:
        return _with(tuned, options, "dynamic_", ("lr", "decay", "segment")) if every else None
    same = tuned if tuned is not None and tuned.method == method else UNTUNED[method]
    return _with(same, options, "dynamic_", ("lr", "decay", "segment"))


def _cache(options: Mapping[str, Any], tuned: Cache | None, *, every: bool) -> Cache | None:
    if "cache" in options:
        tuned = replace(tuned or Cache(), size=options["cache"])
    elif not every:
        return None
    return _with(tuned, options, "cache_", ("theta", "share"))


def _with(part: PartT | None, options: Mapping[str, Any], prefix: str, numbers: Sequence[str]) -> PartT | None:
    """A mechanism with the numbers that were given."""
    given = {name: options[prefix + name] for name in numbers if prefix + name in options}
    return part and replace(part, **given)


def _ngrams(options: Mapping[str, Any], tuned: Counts | None, *, every: bool) -> Counts | None:
    path = fspath(options["ngrams"]) if "ngrams" in options else tuned.path if tuned and every else None
    if path is None:
        return None
    return Counts(path, options.get("ngram_share", tuned.weight if tuned else NGRAM_SHARE))


def _models(options: Mapping[str, Any], tuned: Models | None, left: float, *, every: bool) -> Models | None:
    """``left`` is what others leave of the whole, to be shared evenly where nobody said."""
    if "mix" in options:
        given = options["mix"]
        paths = [fspath(each) for each in ([given] if isinstance(given, str | PathLike) else given)]
    elif tuned and every:
        paths = tuned.paths
    else:
        return None
    even = [left / (len(paths) + 1)] * len(paths)
    weights = list(options.get("weights", tuned.weights if tuned and tuned.paths == paths else even))
    if len(weights) != len(paths):
        raise UsageError(f"--weights has {len(weights)}, but there are {len(paths)} models to --mix: give each one")
    return Models(paths, weights)
