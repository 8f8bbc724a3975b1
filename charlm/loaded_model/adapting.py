"""A model that adapts to what it reads."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from secrets import randbelow
from typing import Unpack, overload

from charlm.adapting.applying import draw_adapted_samples, predictor_of
from charlm.adapting.options import AdaptOptions
from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.evaluation import EvaluationResult
from charlm.loaded_model.loaded import Loaded
from charlm.measuring import evaluate_texts, score_texts
from charlm.pairs import Judged, Pair, judge
from charlm.prediction.scorer import AdaptedScorer
from charlm.ranking import Alternative, rank
from charlm.sample_options import SampleOptions, sampling_config
from charlm.samples import Sample, read_prompt
from charlm.scores import Score
from charlm.training.from_python import Paths


class AdaptedModel:
    """What ``Model.adapted`` gives: a model whose probabilities are those of ``charlm.prediction``.

    Every text that is scored, ranked or drawn begins with the model as it was trained. A text that is evaluated is read
    from its first token to its last, and what was learnt from its beginning is there at its end.

    Args:
        model: under its label where it has labels.
        path: where it stands; None for one that stands nowhere.
        options: what it adapts by.

    Attributes:
        scorer: what gives texts their probabilities, for those who want to look inside.

    Raises:
        UsageError: an option is wrong, or a model that is mixed in does not fit.
        ModelError: a model cannot be read, or what was tuned is damaged or of another model.
    """

    def __init__(self, model: TrainedModel, path: Path | None, options: AdaptOptions) -> None:
        self._model = model
        self.scorer = AdaptedScorer(model, predictor_of(model, path, options))

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a sequence of str, but the first signature goes first
        self, text: str | bytes, *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> Score: ...

    @overload
    def score(
        self, text: Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> list[Score]: ...

    def score(
        self, text: str | bytes | Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1
    ) -> Score | list[Score]:
        """Log-probability of a text, or of each of several; as ``Model.score``."""
        texts = [text] if isinstance(text, str | bytes) else text
        found = score_texts(self.scorer, texts, per_token=per_token, unk_vocabulary=unk_vocabulary)
        return found[0] if isinstance(text, str | bytes) else found

    def evaluate(
        self, corpus: Paths | None = None, *, text: str | None = None, unk_vocabulary: int = 1
    ) -> EvaluationResult:
        """What a text costs, read in one lane; otherwise as ``Model.evaluate``.

        Raises:
            UsageError: both are given, ``unk_vocabulary`` is not positive, or the model's texts have labels.
            InputError: it cannot be read, or is empty.
        """
        return evaluate_texts(self._model, corpus, text, unk_vocabulary=unk_vocabulary, scorer=self.scorer)

    def rank(self, texts: Sequence[str], *, by: str | None = None) -> list[Alternative]:
        """Texts by their probability, the likeliest first; as ``Model.rank``."""
        return rank(self.scorer, [texts] if isinstance(texts, str) else texts, by)

    def judge(self, pairs: Iterable[Pair]) -> list[Judged]:
        """Which sentence of each pair is likelier; as ``Model.judge``."""
        return list(judge(self.scorer, pairs))

    def sample(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts, to which the model adapts as they are drawn; as ``Model.sample``."""
        return [each.text for each in self._drawn(number, prompt, seed, options, details=False)]

    def samples(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        **options: Unpack[SampleOptions],
    ) -> Iterator[Sample]:
        """Draw texts with the log-probabilities of their tokens; as ``Model.samples``."""
        return self._drawn(number, prompt, seed, options, details=True)

    def _drawn(
        self, number: int, prompt: str | Sequence[str], seed: int | None, options: SampleOptions, *, details: bool
    ) -> Iterator[Sample]:
        require("number", number, minimum=1)
        model = self._model
        prompts = [read_prompt(model, each) for each in ([prompt] if isinstance(prompt, str) else prompt)]
        config = sampling_config(model, details=details, **options)
        seed = randbelow(1 << 32) if seed is None else seed
        return draw_adapted_samples(model, self.scorer.predictor, prompts, seed, number, config)


class Adapting(Loaded):
    """The method of ``charlm.Model`` that gives one which adapts."""

    def adapted(self, *, label: str | None = None, **options: Unpack[AdaptOptions]) -> AdaptedModel:
        """The model as it adapts to what it reads, as the options of ``charlm score`` have it; this one stays as it is.

        Args:
            label: under which texts are read, for a model of texts with labels.
            **options: the keys of ``AdaptOptions``; ``tuned=True`` for all that ``charlm.tune`` has kept with it.

        Raises:
            UsageError: an option is wrong, nothing is to be done, or a model that is mixed in does not fit.
            ModelError: a model cannot be read, or what was tuned is damaged or of another model.
        """
        return AdaptedModel(self.trained.under(label), self.path, options)
