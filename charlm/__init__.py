"""charlm: character- and word-level recurrent language models on NumPy.

    import charlm

    model = charlm.train("names.txt")           # as charlm train names.txt
    model = charlm.load("runs/names")           # a run's folder or a model file
    model.sample(3)                             # texts
    model.score("a name").logprob               # nats
    model.next("a n")                           # the likeliest continuations
    model.rank(["a name", "a mane"])            # which is likelier, and by what odds
    model.rank(charlm.expand("a {name|mane}"))  # the same
    model.heatmap("a name")                     # a page of HTML, coloured by surprise
    charlm.which({"a": model, "b": other}, text)  # which of two models wrote it
    charlm.diff(model, other, text)             # where they disagree
    charlm.train_ngrams("names.txt").score("a name")  # the same by counting
    charlm.history("runs")                      # how runs went
    charlm.tune("runs/names", dynamic="rms")   # what adapts the model best
    model.adapted(tuned=True).evaluate()        # what a text costs it then
    charlm.find_lr("names.txt").suggestion      # a learning rate
    tagger = charlm.train_tagger("names.conll") # as charlm tag train names.conll
    tagger.tag("Teddy Roosevelt was nice.")     # labels and entities
    classifier = charlm.train_classifier("reviews.tsv")
    classifier.classify("not bad at all")       # a label and its probability

What stands in ``charlm.api`` can be had from here; it is loaded, and NumPy with it, when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from charlm.version import __version__

if TYPE_CHECKING:
    from charlm.api import (
        Accuracy,
        AdaptedModel,
        AdaptOptions,
        Alternative,
        Attribution,
        BeamOptions,
        CharlmError,
        Classified,
        Classifier,
        Confusion,
        Continuation,
        Copied,
        Difference,
        EvaluationResult,
        Filled,
        Found,
        Judged,
        Model,
        NGrams,
        Options,
        Pair,
        Posterior,
        RateSearch,
        RunHistory,
        Sample,
        SampleOptions,
        Score,
        StepReport,
        Tagged,
        Tagger,
        Tuned,
        ValidationReport,
        accuracies,
        confusion,
        diff,
        expand,
        find_lr,
        history,
        load,
        load_classifier,
        load_ngrams,
        load_tagger,
        read_arpa,
        train,
        train_classifier,
        train_ngrams,
        train_tagger,
        tune,
        which,
    )

__all__ = [
    "Accuracy",
    "AdaptOptions",
    "AdaptedModel",
    "Alternative",
    "Attribution",
    "BeamOptions",
    "CharlmError",
    "Classified",
    "Classifier",
    "Confusion",
    "Continuation",
    "Copied",
    "Difference",
    "EvaluationResult",
    "Filled",
    "Found",
    "Judged",
    "Model",
    "NGrams",
    "Options",
    "Pair",
    "Posterior",
    "RateSearch",
    "RunHistory",
    "Sample",
    "SampleOptions",
    "Score",
    "StepReport",
    "Tagged",
    "Tagger",
    "Tuned",
    "ValidationReport",
    "__version__",
    "accuracies",
    "confusion",
    "diff",
    "expand",
    "find_lr",
    "history",
    "load",
    "load_classifier",
    "load_ngrams",
    "load_tagger",
    "read_arpa",
    "train",
    "train_classifier",
    "train_ngrams",
    "train_tagger",
    "tune",
    "which",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from charlm import api  # noqa: PLC0415 - only now

    return getattr(api, name)


def __dir__() -> list[str]:
    """What can be asked for, for help and completion."""
    return sorted({*globals(), *__all__})
