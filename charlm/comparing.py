"""Models compared from Python: ``charlm.which``, ``charlm.confusion`` and ``charlm.diff``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, overload

from charlm.attribution import Attribution, Confusion, attribute, attribute_labelled
from charlm.checkpoint import TrainedModel
from charlm.differences import Difference, differences
from charlm.errors import UsageError


class Model(Protocol):
    """What holds a trained model: a ``charlm.Model``."""

    @property
    def trained(self) -> TrainedModel:
        """Network, tokenizer and record."""


@overload
def which(  # type: ignore[overload-overlap]  # as for Model.score
    models: Mapping[str, Model], text: str, *, priors: Mapping[str, float] | None = None
) -> Attribution: ...


@overload
def which(
    models: Mapping[str, Model], text: Sequence[str], *, priors: Mapping[str, float] | None = None
) -> list[Attribution]: ...


def which(
    models: Mapping[str, Model], text: str | Sequence[str], *, priors: Mapping[str, float] | None = None
) -> Attribution | list[Attribution]:
    """Which of several models most likely wrote a text, or each of several, as ``charlm which`` prints.

    Args:
        models: two or more, by names of your choice.
        text: one, or several.
        priors: how probable each model is beforehand, by name; None for all alike.

    Raises:
        UsageError: there are too few models, or the priors do not fit them.
    """
    texts = [text] if isinstance(text, str) else list(text)
    found = list(attribute({name: model.trained for name, model in models.items()}, texts, priors))
    return found[0] if isinstance(text, str) else found


def confusion(
    models: Mapping[str, Model], labelled: Iterable[tuple[str, str]], *, priors: Mapping[str, float] | None = None
) -> Confusion:
    """How often texts of each model are taken for whose, as ``charlm which --labelled`` counts.

    Args:
        models: two or more, by names of your choice.
        labelled: pairs of the name of the model that a text is of, and the text.
        priors: as for ``which``.

    Raises:
        UsageError: there are too few models, the priors do not fit them, or a text is of none of them.
    """
    counted = Confusion(list(models))
    trained = {name: model.trained for name, model in models.items()}
    for truth, found in attribute_labelled(trained, labelled, priors):
        if truth not in models:
            raise UsageError(f"a text is labelled {truth!r}, which is none of the models: {', '.join(models)}")
        counted.add(truth, found.best.model)
    return counted


def diff(a: Model, b: Model, text: str) -> Difference:
    """Where in a text two models disagree, token by token, as ``charlm diff`` prints."""
    return differences(a.trained, b.trained, text)
