"""The Python interface: ``import charlm`` shows what stands here.

Arrays are batch-first: ids are [batch, time], probabilities [batch, time, vocabulary].
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from charlm.attribution import Attribution, Confusion
from charlm.bayes import PRIORS, Posterior, posteriors
from charlm.checkpoint import TrainedModel, load_model, model_bytes
from charlm.classification import Classifier, load_classifier, train_classifier
from charlm.comparing import confusion, diff, which
from charlm.config import require
from charlm.continuations import Continuation, continuations
from charlm.differences import Difference
from charlm.errors import CharlmError
from charlm.evaluation import EvaluationResult
from charlm.explain import Step, explain
from charlm.files import write_atomically
from charlm.filling import WIDTH, Filled, fill
from charlm.gradients import Measurement, measure
from charlm.histories.history import RunHistory
from charlm.histories.reading import read_runs
from charlm.labelling.classifying import Classified
from charlm.labelling.tags import Tagged
from charlm.matching.search import BUDGET
from charlm.measuring import evaluate_texts, part_given, score_texts
from charlm.neurons import Found, activations
from charlm.ngrams import NGrams, load_ngrams, read_arpa, train_ngrams
from charlm.novelty.copies import TRIES, Copied, TrainingText, novel_samples
from charlm.pairs import Accuracy, Judged, Pair, accuracies, judge
from charlm.ranking import Alternative, rank
from charlm.sample_options import BeamOptions, SampleOptions, beam_config, sampling_config
from charlm.samples import Prompt, Sample, draw_samples, find_samples, read_prompt
from charlm.sampling.config import SamplingConfig
from charlm.scores import Score
from charlm.scoring import log_softmax
from charlm.seeing import heatmap, units_that_follow
from charlm.tagging import Tagger, load_tagger, train_tagger
from charlm.templates import expand
from charlm.text.level import check_range
from charlm.text.reading import normalise
from charlm.training.from_python import Paths, texts_given, train_to_the_end
from charlm.training.options import Options
from charlm.training.rate_finder import RateSearch, find_rate
from charlm.training.reports import Report, StepReport, ValidationReport
from charlm.training.setup import begin, own_corpus, own_texts

__all__ = [
    "Accuracy",
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
    "ValidationReport",
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
    "which",
]


class Model:
    """A trained model: ``charlm.load(path)`` or what ``charlm.train`` returns.

    Attributes:
        trained: network, tokenizer and record, for those who want to look inside.
    """

    def __init__(self, trained: TrainedModel) -> None:
        self.trained = trained

    def __repr__(self) -> str:
        config = self.trained.network.config
        return (
            f"<charlm.Model {config.cell} {config.layers} x {config.hidden}, "
            f"{config.vocabulary} tokens at {self.trained.text.level} level>"
        )

    @property
    def level(self) -> str:
        """What a token is: char, word, token or byte."""
        return self.trained.text.level

    @property
    def labels(self) -> list[str]:
        """The labels of its texts by id, the most frequent first; none for a model of texts without."""
        return list(self.trained.label_names or ())

    @property
    def vocabulary(self) -> list[str]:
        """The tokens by id; at the word level the mark \uffed stands before those that have no space before them."""
        vocabulary = self.trained.tokenizer.vocabulary
        return [vocabulary.token(i) for i in range(len(vocabulary))]

    def explain(self, text: str = "", *, top: int = 3, label: str | None = None) -> list[Step]:
        """Every quantity of every step in which the model reads a text, in float64, as ``charlm explain`` prints.

        Args:
            text: what to read; the first step stands before it.
            top: how many of the likeliest next tokens to give.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: an argument is out of range, or text or label do not fit the model.
        """
        require("top", top, minimum=1)
        model = self.trained.under(label)
        return list(explain(model, read_prompt(model, text), top))

    def gradients(
        self, text: str, *, lags: int = 50, positions: int = 256, seed: int = 1, label: str | None = None
    ) -> Measurement:
        """How the gradient of a prediction fades over the steps before it, as ``charlm gradients`` prints.

        Args:
            text: what to measure on.
            lags: most steps to go back.
            positions: how many positions to average over.
            seed: of their draw.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: ``lags`` or ``positions`` is below 1, or the label does not fit the model.
            InputError: the text is too short.
        """
        model, ids = self.trained.under(label), self.trained.tokenizer.encode_sentence(normalise(text))
        return measure(model.network, ids, line_end=model.line_end, lags=lags, positions=positions, seed=seed)

    def activations(self, text: str, *, part: str = "hidden", label: str | None = None) -> NDArray[np.float32]:
        """Every unit's value when the model has read each token of a text, as ``charlm neurons`` shows it.

        Args:
            text: what to read; its tokens are those of ``encode``.
            part: "hidden", the activation a, or "cell", the cell c.
            label: under which it is read, for a model of texts with labels.

        Returns:
            float32 [layers, time, units]; where lines are independent, 0 at their ends, which are never read.

        Raises:
            UsageError: the units have no such part, or the label does not fit the model.
        """
        model = self.trained.under(label)
        return activations(model.network, self.encode(text), line_end=model.line_end, part=part)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one file, as ``charlm train`` does.

        Raises:
            OutputError: it cannot be written, or a weight is not finite.
        """
        write_atomically(Path(path), model_bytes(self.trained))

    def sample(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        label: str | None = None,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts.

        Args:
            number: how many for each prompt; more of them do not change the first ones.
            prompt: what each begins with; of several, the first sample of every one comes first.
            seed: the same seed gives the same texts as ``charlm sample --seed``; None for a random one.
            label: which the texts are to have, for a model of texts with labels.
            **options: the keys of ``SampleOptions``, which are the options of ``charlm sample``.

        Returns:
            The texts, each with its prompt and as the model wrote it, a line's end included.

        Raises:
            UsageError: an argument is out of range, or prompt, label or an option do not fit the model.
        """
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, **options)
        return [each.text for each in self._drawn(model, prompts, number, seed, config)]

    def samples(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        label: str | None = None,
        alternatives: int = 0,
        **options: Unpack[SampleOptions],
    ) -> Iterator[Sample]:
        """Draw texts with the log-probabilities of their tokens and the reason why each ended, one after another.

        Args:
            number: how many for each prompt, of which few are in memory at a time.
            prompt: as in ``sample``, which draws the same texts.
            seed: likewise.
            label: likewise.
            alternatives: of how many of the likeliest tokens in each place to tell, too.
            **options: likewise.

        Raises:
            UsageError: as ``sample``.
        """
        require("alternatives", alternatives, minimum=0)
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, details=True, alternatives=alternatives, **options)
        return self._drawn(model, prompts, number, seed, config)

    def beams(
        self,
        number: int = 1,
        *,
        beams: int = 8,
        prompt: str = "",
        label: str | None = None,
        **options: Unpack[BeamOptions],
    ) -> list[Sample]:
        """Search for the likeliest texts, as ``charlm sample --beams`` does; see ``charlm.sampling.beams``.

        Args:
            number: how many to find, at most ``beams``.
            beams: beginnings that are kept at each step.
            prompt: what each begins with.
            label: under which they are read, for a model of texts with labels.
            **options: the keys of ``BeamOptions``.

        Returns:
            The texts, best first, with ``score`` and ``logprob``.

        Raises:
            UsageError: an argument is out of range, or prompt, label or an option do not fit the model.
        """
        model, prompts = self._begun(prompt, label)
        return list(find_samples(model, prompts, beam_config(model, beams, number, **options)))

    def _begun(self, prompt: str | Sequence[str], label: str | None) -> tuple[TrainedModel, list[Prompt]]:
        model = self.trained.under(label)
        return model, [read_prompt(model, each) for each in ([prompt] if isinstance(prompt, str) else prompt)]

    @staticmethod
    def _drawn(
        model: TrainedModel, prompts: list[Prompt], number: int, seed: int | None, config: SamplingConfig
    ) -> Iterator[Sample]:
        require("number", number, minimum=1)
        return draw_samples(model, prompts, secrets.randbelow(1 << 32) if seed is None else seed, number, config)

    def matching(
        self,
        pattern: str,
        number: int = 1,
        *,
        prompt: str = "",
        seed: int | None = None,
        label: str | None = None,
        budget: int = BUDGET,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts that match a regular expression, by masking what cannot lead to a match; see ``charlm.matching``.

        Args:
            pattern: as the package ``regex`` has it; what is drawn matches from end to end, the prompt being no part.
            number: how many.
            prompt: what each begins with.
            seed: as in ``sample``, and as ``charlm sample --match`` has it.
            label: likewise.
            budget: tokens that may be tried for each text.
            **options: as in ``sample``, but for those that end a sample.

        Raises:
            UsageError: there is no such pattern, no token can begin a match of it, or it takes too long; or as
                ``sample``.
            SearchError: nothing that matches was found within the budget.
        """
        require("number", number, minimum=1)
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, **options)
        seed = secrets.randbelow(1 << 32) if seed is None else seed
        found = draw_samples(model, prompts, seed, number, config, match=pattern, budget=budget)
        return [each.text for each in found]

    def fill(
        self,
        template: str,
        number: int = 10,
        *,
        longest: int | None = None,
        width: int = WIDTH,
        label: str | None = None,
    ) -> list[Filled]:
        """What may stand in the gaps of a text, the likeliest whole text first; see ``charlm.filling``.

        Args:
            template: a text with ``___`` for each gap.
            number: how many to give, at most.
            longest: most tokens in a gap; None for 12 characters or bytes, or 3 words.
            width: candidates of each length that are kept; more find more.
            label: as in ``sample``.

        Raises:
            UsageError: there is no gap, an argument is out of range, or text or label do not fit the model.
            SearchError: nothing was found that fits.
        """
        return fill(self.trained.under(label), template, number, longest=longest, width=width)

    def copied(self, texts: str | Sequence[str], corpus: Paths | None = None) -> list[Copied | None]:
        """The longest stretch of each text that stands verbatim in the training text, as ``charlm sample --novelty``.

        Args:
            texts: one or several.
            corpus: path of the training text, or several, where they are not where they were.

        Returns:
            For each text its longest stretch; None where no token of it stands there.

        Raises:
            InputError: the training text is not there, or has changed.
        """
        return list(map(self._training(corpus).copied, map(self.encode, [texts] if isinstance(texts, str) else texts)))

    def novel(
        self,
        number: int = 1,
        *,
        most: int,
        tries: int | None = None,
        corpus: Paths | None = None,
        prompt: str = "",
        seed: int | None = None,
        label: str | None = None,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts that copy little of the training text, as ``charlm sample --max-copy``.

        Args:
            number: how many.
            most: tokens in a row that may stand in the training text; samples with more are left out.
            tries: samples that may be drawn; None for twenty for each that is wanted.
            corpus: as in ``copied``.
            prompt: what each begins with; it may stand there.
            seed: as in ``sample``.
            label: likewise.
            **options: likewise.

        Raises:
            SearchError: there were not enough among those that were drawn.
            InputError: as ``copied``.
            UsageError: as ``sample``.
        """
        require("most", most, minimum=0)
        model, prompts = self._begun(prompt, label)
        drawn = self._drawn(model, prompts, tries or TRIES * number, seed, sampling_config(model, **options))
        return [each.text for each in novel_samples(drawn, self._training(corpus), most, number)]

    def _training(self, corpus: Paths | None) -> TrainingText:
        model, remedy = self.trained, "name it with corpus="
        if corpus is not None:
            return TrainingText(model, part_given(model, corpus, None))
        return TrainingText(model, own_corpus(model, *own_texts(model, remedy), remedy).train)

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a sequence of str, but the first signature goes first
        self, text: str | bytes, *, per_token: bool = False, unk_vocabulary: int = 1, label: str | None = None
    ) -> Score: ...

    @overload
    def score(
        self, text: Sequence[str | bytes], *, per_token: bool = False, unk_vocabulary: int = 1, label: str | None = None
    ) -> list[Score]: ...

    def score(
        self,
        text: str | bytes | Sequence[str | bytes],
        *,
        per_token: bool = False,
        unk_vocabulary: int = 1,
        label: str | None = None,
    ) -> Score | list[Score]:
        """Log-probability of a text, or of each of several, from a start and with <EOS>.

        Args:
            text: what to score.
            per_token: also give each token's.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.
            label: under which, for a model of texts with labels.

        Raises:
            UsageError: a text has several lines, and the model's lines are independent; ``unk_vocabulary`` is not
                positive; or the label does not fit the model.
        """
        texts = [text] if isinstance(text, str | bytes) else text
        found = score_texts(self.trained.under(label), texts, per_token=per_token, unk_vocabulary=unk_vocabulary)
        return found[0] if isinstance(text, str | bytes) else found

    @overload
    def posterior(  # type: ignore[overload-overlap]  # as above
        self, text: str | bytes, *, prior: str = PRIORS[0]
    ) -> Posterior: ...

    @overload
    def posterior(self, text: Sequence[str | bytes], *, prior: str = PRIORS[0]) -> list[Posterior]: ...

    def posterior(
        self, text: str | bytes | Sequence[str | bytes], *, prior: str = PRIORS[0]
    ) -> Posterior | list[Posterior]:
        """The probability of every label of a text, or of each of several, by Bayes' rule; see ``charlm.bayes``.

        Args:
            text: what to judge.
            prior: "trained", the labels' shares of the texts trained on, or "uniform".

        Raises:
            UsageError: the model has no labels, there is no such prior, or a text has several lines.
        """
        if isinstance(text, str | bytes):
            return posteriors(self.trained, [text], prior)[0]
        return posteriors(self.trained, list(text), prior)

    def rank(self, texts: Sequence[str], *, by: str | None = None, label: str | None = None) -> list[Alternative]:
        """Texts by their probability, the likeliest first, with odds and posteriors, as ``charlm rank`` prints.

        Args:
            texts: what to choose among; one that is given twice counts once.
            by: "token" or "char" for the order of the mean log-probability of one; None for that of the whole text.
            label: under which they are read, for a model of texts with labels.

        Raises:
            UsageError: there is no such order; a text has several lines, and the model's lines are independent; or the
                label does not fit it.
        """
        return rank(self.trained.under(label), [texts] if isinstance(texts, str) else texts, by)

    def judge(self, pairs: Iterable[Pair], *, label: str | None = None) -> list[Judged]:
        """Which sentence of each pair is likelier, as ``charlm rank --pairs`` counts; see ``charlm.accuracies``.

        Args:
            pairs: of a right sentence and a wrong one, each maybe with a group.
            label: under which they are read, for a model of texts with labels.

        Raises:
            UsageError: a sentence has several lines, and the model's lines are independent; or the label does not fit
                the model.
        """
        return list(judge(self.trained.under(label), pairs))

    def heatmap(
        self,
        text: str | bytes | Sequence[str | bytes],
        *,
        title: str = "a text",
        unk_vocabulary: int = 1,
        label: str | None = None,
    ) -> str:
        """A text, or several, coloured by surprise: a page of HTML, as ``charlm score --heatmap`` writes.

        Args:
            text: what to show; encode the page as UTF-8 to keep it.
            title: what it is, for the page's heading.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: ``unk_vocabulary`` is not positive, or the label does not fit the model.
        """
        texts = [text] if isinstance(text, str | bytes) else text
        return heatmap(self.trained.under(label), texts, title, unk_vocabulary)

    def find_units(
        self,
        text: str,
        find: str | None = None,
        *,
        find_regex: str | None = None,
        part: str = "hidden",
        best: int = 10,
        label: str | None = None,
    ) -> Found:
        """The units that follow a property of a text best, as ``charlm neurons --find`` prints them.

        Args:
            text: what to read: units are chosen on its first half.
            find: the property, such as "quotes", "depth" or "place".
            find_regex: instead, a regular expression: whether a match of it covers a token.
            part: "hidden", the activation a, or "cell", the cell c.
            best: how many units.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: not one property is named, or an argument or the label does not fit the model.
            InputError: the text is empty, or a half of it has the property nowhere or everywhere.
        """
        return units_that_follow(self.trained.under(label), text, find, find_regex, part=part, best=best)

    def evaluate(
        self, corpus: Paths | None = None, *, text: str | None = None, exact: bool = False, unk_vocabulary: int = 1
    ) -> EvaluationResult:
        """What a text costs, as validation in training counts it.

        Args:
            corpus: path of a text, or several; None and no ``text`` for the validation part of the model's own corpus.
            text: the text itself.
            exact: read it in one lane instead of several: slower, and nearly the same.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.

        Raises:
            UsageError: both are given, or ``unk_vocabulary`` is not positive.
            InputError: it cannot be read, or is empty.
        """
        return evaluate_texts(self.trained, corpus, text, exact=exact, unk_vocabulary=unk_vocabulary)

    def next(self, prompt: str = "", number: int = 10, *, label: str | None = None) -> list[Continuation]:
        """The likeliest continuations of a prompt with their probabilities; see ``charlm.continuations``.

        Raises:
            UsageError: ``number`` is not positive, or prompt or label do not fit the model.
        """
        model = self.trained.under(label)
        return continuations(model, read_prompt(model, prompt), number)

    def encode(self, text: str | bytes) -> NDArray[np.int64]:
        """Ids of a text, int64 [time]; no <EOS> is added."""
        return self.trained.tokenizer.encode(text if isinstance(text, bytes) else normalise(text))

    def decode(self, ids: Sequence[int] | NDArray[np.integer[Any]]) -> str:
        """The text of ids [time].

        Raises:
            IndexError: an id is outside the vocabulary.
        """
        return self.trained.tokenizer.decode(np.asarray(ids, np.int64))

    def log_probabilities(
        self,
        ids: Sequence[Sequence[int] | NDArray[np.integer[Any]]] | NDArray[np.integer[Any]],
        *,
        label: str | None = None,
    ) -> NDArray[np.float64]:
        """The distribution over every next token.

        Args:
            ids: [batch, time], each row a text from a start.
            label: under which they are read, for a model of texts with labels.

        Returns:
            float64 [batch, time + 1, vocabulary], nats: at time t, log P(token | the first t tokens).

        Raises:
            UsageError: the label does not fit the model.
            ValueError: ``ids`` are not [batch, time].
            IndexError: an id is outside the vocabulary.
        """
        given = np.asarray(ids, np.int64)
        if given.ndim != 2:  # noqa: PLR2004 - batch and time
            raise ValueError(f"ids have the shape {list(given.shape)}: they must be [batch, time]")
        network = self.trained.under(label).network
        checked = check_range(given, len(self.trained.tokenizer))
        inputs = np.concatenate((np.full((len(given), 1), -1), checked), axis=1).T
        work = network.new_workspace(len(inputs), len(given))
        still = np.zeros(inputs.shape, np.bool_)
        logits, _ = network.logits(work, inputs, still, network.initial_states(len(given)))
        return log_softmax(logits.astype(np.float64)).transpose(2, 1, 0)


def load(path: str | PathLike[str]) -> Model:
    """Load a model file, or the one in a run's folder.

    Raises:
        ModelError: it is missing or damaged.
    """
    return Model(load_model(Path(path)))


def history(paths: Paths) -> list[RunHistory]:
    """How runs went, as ``charlm history`` shows it: what their folders say, read without changing anything.

    Args:
        paths: folders of runs, or folders with such at any depth: one path, or several.

    Raises:
        ModelError: there is no run at one of the paths, or none has written anything down.
    """
    return read_runs([Path(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)])


def train(
    corpus: Paths | None = None,
    *,
    text: str | None = None,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    report: Callable[[Report], None] | None = None,
    **options: Unpack[Options],
) -> Model:
    """Train a model, as ``charlm train`` does.

    Args:
        corpus: path of a text; also a folder, a glob pattern, or several of them.
        text: the text itself, instead.
        folder: where to keep the run: the model, its log and what continuing needs; None to keep nothing.
        overwrite: whether a run in that folder may be replaced.
        report: called with every step and validation.
        **options: the keys of ``Options``, which are the options of ``charlm train`` with underscores (``--from`` is
            ``base``); what is missing is chosen by the size of the corpus.

    Returns:
        The model with the best weights by validation loss.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
        OutputError: a file cannot be written, the folder holds a run and ``overwrite`` is False, or a run is at work
            in it.
        TrainingError: training cannot go on.
    """
    return train_to_the_end(
        lambda kept, clock: begin(
            lambda encoding: texts_given(corpus, text, encoding),
            lambda _: kept,
            options,
            overwrite=overwrite,
            clock=clock,
        ),
        folder,
        report,
        load,
    )


def find_lr(corpus: Paths | None = None, *, text: str | None = None, **options: Unpack[Options]) -> RateSearch:
    """Try rising learning rates in a short run, as ``charlm train --find-lr`` does; nothing is written.

    Args:
        corpus: as for ``train``.
        text: likewise.
        **options: likewise, of the run that is meant.

    Returns:
        Every rate with its loss, the ``suggestion`` and what it was drawn from.

    Raises:
        UsageError: an option is wrong or does not go with another.
        InputError: a text cannot be read or is too short.
        TrainingError: the loss is not finite from the first steps on.
    """
    run = begin(
        lambda encoding: texts_given(corpus, text, encoding),
        lambda _: Path(),
        options,
        overwrite=True,
        clock=lambda: 0.0,
    )
    with np.errstate(all="ignore"):
        return find_rate(run.trainer)
