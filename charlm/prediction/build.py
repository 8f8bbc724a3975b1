"""From a trained model, what is to be done while it reads, and the models beside it: the predictor."""

from dataclasses import dataclass

from charlm.checkpoint import TrainedModel
from charlm.errors import UsageError
from charlm.ngram.model import NGramModel
from charlm.nn.arrays import Array
from charlm.prediction.cache import CachePredictor
from charlm.prediction.config import Adaptation
from charlm.prediction.counts import CountsPredictor
from charlm.prediction.dynamic import DynamicPredictor
from charlm.prediction.mixture import MixturePredictor
from charlm.prediction.network import HiddenPredictor, NetworkPredictor
from charlm.prediction.predictor import Predictor
from charlm.prediction.vocabularies import check_alike, spelt_as


@dataclass(frozen=True)
class Beside:
    """What an adaptation names, opened.

    Attributes:
        ngrams: of ``Adaptation.ngrams``.
        models: of ``Adaptation.models``, each under its label where it has labels.
        mean_squares: [parameters], of the model's gradients, for "rms"; see ``charlm.prediction.gradients``.
    """

    ngrams: NGramModel | None = None
    models: tuple[TrainedModel, ...] = ()
    mean_squares: Array | None = None


NOTHING = Beside()


def build(model: TrainedModel, how: Adaptation, beside: Beside = NOTHING) -> Predictor:
    """The predictor of a model that adapts.

    Args:
        model: under its label where it has labels; it stays as it is.
        how: what is to be done.
        beside: the models that are named there.

    Raises:
        UsageError: another model's tokens do not fit the model's.
    """
    return mixed([adapted(model, how, beside), *others(model, beside)], how)


def adapted(model: TrainedModel, how: Adaptation, beside: Beside = NOTHING) -> Predictor:
    """The predictor of the network by itself, adapting and with its cache."""
    found: HiddenPredictor = NetworkPredictor(model.network)
    if how.dynamic is not None:
        found = DynamicPredictor(model.network, how.dynamic, beside.mean_squares)
    return found if how.cache is None else CachePredictor(found, how.cache)


def others(model: TrainedModel, beside: Beside) -> list[Predictor]:
    """The predictors of what stands beside a model, in its tokens: the n-grams first.

    Raises:
        UsageError: their tokens do not fit the model's.
    """
    found: list[Predictor] = []
    if beside.ngrams is not None:
        check_alike(model.text, beside.ngrams.text, "the n-gram model")
        counts = CountsPredictor(beside.ngrams)
        found.append(spelt_as(model.tokenizer, counts, beside.ngrams.tokenizer, "the n-gram model"))
    for number, other in enumerate(beside.models, 2):
        name = f"model {number} of the mixture"
        check_alike(model.text, other.text, name)
        found.append(spelt_as(model.tokenizer, NetworkPredictor(other.network), other.tokenizer, name))
    return found


def mixed(parts: list[Predictor], how: Adaptation) -> Predictor:
    """The mixture of a network's predictor and ``others``; the first alone where it has no others.

    Raises:
        UsageError: there are more or fewer of them than weights.
    """
    weights = [how.weight, *([how.ngrams.weight] if how.ngrams else []), *(how.models.weights if how.models else [])]
    if len(parts) != len(weights):
        raise UsageError(f"the mixture has {len(weights)} weights and {len(parts)} models: open what it names")
    return parts[0] if len(parts) == 1 else MixturePredictor(parts, weights)
