"""From a trained model and options to a predictor that adapts, its scores and its samples."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from charlm.adapting.kept import check_digests, file_beside, is_kept, named, read_kept
from charlm.adapting.options import adaptation_of, check, complete
from charlm.checkpoint import TrainedModel, load_model
from charlm.errors import UsageError
from charlm.ngram.model import load_ngram
from charlm.nn.arrays import Array
from charlm.prediction.build import Beside, build
from charlm.prediction.config import Adaptation
from charlm.prediction.drawing import draw_adapted
from charlm.prediction.predictor import Predictor
from charlm.prediction.scorer import AdaptedScorer
from charlm.samples import Prompt, Sample
from charlm.sampling.config import SamplingConfig
from charlm.sampling.side_by_side import Job


def predictor_of(model: TrainedModel, path: Path | None, options: Mapping[str, Any]) -> Predictor:
    """The predictor of a model that adapts as options say; otherwise as ``settled``."""
    return build(model, *settled(model, path, options))


def settled(model: TrainedModel, path: Path | None, options: Mapping[str, Any]) -> tuple[Adaptation, Beside]:
    """What a model adapts by, as options say, and what that names.

    Args:
        model: under its label where it has labels.
        path: where it stands, and what was tuned for it beside it; None for one that stands nowhere.
        options: those of ``charlm.adapting.options.AdaptOptions``.

    Raises:
        UsageError: an option is wrong, or a model that is mixed in does not fit.
        ModelError: a model cannot be read, or what was tuned is damaged or of another model.
    """
    check(options)
    if model.labels is not None and model.network.label is None:
        raise UsageError(
            "a model that adapts reads one text after another under one label, so none with labels of their own: leave "
            "that out, or score the lines of a label with --label"
        )
    if path is None and options.get("tuned"):
        raise UsageError("--tuned: the model was not read from a file, so nothing was tuned for it")
    wanted = path is not None and (options.get("tuned") or (not complete(options) and is_kept(path)))
    tuned = read_kept(path, len(model.network.parameters)) if path is not None and wanted else None
    how = adaptation_of(options, tuned.adaptation if tuned else None)
    if tuned is not None and path is not None:
        check_digests(file_beside(path), {each: tuned.others[each] for each in named(how) if each in tuned.others})
    if how.idle:
        raise UsageError("nothing adapts the model: name --dynamic, --cache, --mix, --ngrams or --tuned")
    squares = tuned.mean_squares if tuned else None
    if how.dynamic is not None and how.dynamic.method == "rms" and squares is None:
        raise UsageError(
            "--dynamic rms needs the mean squares of the model's gradients, which charlm tune --dynamic rms keeps with "
            "it: tune it, or choose --dynamic sgd, which needs none"
        )
    return how, opened(how, squares)


def opened_again(model: TrainedModel, path: Path | None, how: Adaptation) -> Beside:
    """What an adaptation names that was settled before, as it is at hand now.

    Raises:
        UsageError: a model has labels, so that nothing says which it is to read under.
        ModelError: one cannot be read, or the mean squares that "rms" needs.
    """
    if how.dynamic is None or how.dynamic.method != "rms" or path is None:
        return opened(how)
    return opened(how, read_kept(path, len(model.network.parameters)).mean_squares)


def opened(how: Adaptation, mean_squares: Array | None = None) -> Beside:
    """The models that an adaptation names.

    Raises:
        UsageError: one has labels, so that nothing says which it is to read under.
        ModelError: one cannot be read.
    """
    return Beside(
        load_ngram(Path(how.ngrams.path)) if how.ngrams else None,
        tuple(load_model(Path(path)).under(None) for path in (how.models.paths if how.models else ())),
        mean_squares,
    )


def adapt(model: TrainedModel, path: Path | None, options: Mapping[str, Any]) -> AdaptedScorer:
    """What scores texts by ``predictor_of`` a model; otherwise as that."""
    return AdaptedScorer(model, predictor_of(model, path, options))


def draw_adapted_samples(
    model: TrainedModel,
    predictor: Predictor,
    prompts: Sequence[Prompt],
    seed: int,
    number: int,
    config: SamplingConfig,
) -> Iterator[Sample]:
    """Draw what comes after some prompts, each as if it were the first; in the order of ``draw_samples``.

    Args:
        model: what texts are read and written by.
        predictor: of it, for this alone.
        prompts: read by ``charlm.samples.read_prompt``.
        seed: of all samples.
        number: how many for each prompt.
        config: how, made by ``charlm.sample_options.sampling_config``.

    Yields:
        The samples, each while it is drawn; with the next one it has been drawn to its end.

    Raises:
        UsageError: there is nothing to draw.
    """
    for index in range(number):
        for place, prompt in enumerate(prompts):
            job = Job(prompt.ids, (seed, index, place) if place else (seed, index))
            sample = Sample(model.tokenizer, prompt, index, draw_adapted(predictor, job, config), config.constraints)
            yield sample
            # The predictor is that of one sample at a time, so what nobody has read of it is drawn now.
            _ = sample.drawn
