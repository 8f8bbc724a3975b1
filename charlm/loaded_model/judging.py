"""What a model says of texts."""

from collections.abc import Iterable, Sequence
from typing import overload

from charlm.bayes import PRIORS, Posterior, posteriors
from charlm.continuations import Continuation, continuations
from charlm.evaluation import EvaluationResult
from charlm.loaded_model.loaded import Loaded
from charlm.measuring import evaluate_texts, score_texts
from charlm.pairs import Judged, Pair, judge
from charlm.ranking import Alternative, rank
from charlm.samples import read_prompt
from charlm.scores import Score
from charlm.training.from_python import Paths


class Judging(Loaded):
    """The methods of ``charlm.Model`` that give texts a probability."""

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
