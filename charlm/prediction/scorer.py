"""Texts scored by a predictor: what ``charlm score``, ``rank`` and ``eval`` ask for."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from charlm.checkpoint import TrainedModel
from charlm.config import TextConfig
from charlm.errors import UsageError
from charlm.nn.arrays import Ids
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.predictor import Predictor
from charlm.prediction.walking import distributions, log_probabilities_of
from charlm.scoring import Evaluation, Parts, TokenScores, judged_tokens, largest
from charlm.text.parts import Part
from charlm.text.tokenizer import Tokenizer

BLOCK = 256
"""Tokens that are counted at a time."""


class AdaptedScorer:
    """A model's tokens with a predictor's probabilities: a ``charlm.scorer.Scorer``.

    Args:
        model: whose tokens, under its label where it has labels.
        predictor: what ``charlm.prediction.build`` makes of it.

    Attributes:
        model: likewise.
        predictor: likewise.
    """

    def __init__(self, model: TrainedModel, predictor: Predictor) -> None:
        self.model = model
        self.predictor = predictor

    @property
    def tokenizer(self) -> Tokenizer:
        """Text to ids and back."""
        return self.model.tokenizer

    @property
    def text(self) -> TextConfig:
        """How texts are read."""
        return self.model.text

    def score_texts(self, texts: Sequence[Ids]) -> list[Real]:
        """Log-probability (nats) of every token of each text, each from a start, as if it were the first."""
        return [log_probabilities_of(self._begun(), np.asarray(text)) for text in texts]

    def score_tokens(self, texts: Sequence[Ids], best: int = 0) -> list[TokenScores]:
        """As ``score_texts``, with rank and entropy of each token, and so many of the likeliest in its place."""
        return [self._token_scores(np.asarray(text, np.int64), best) for text in texts]

    def evaluate(self, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> Evaluation:
        """What encoded text costs, read in its order in one lane, so it is always exact.

        Independent lines begin anew, but what was adapted to the lines before stays.

        Raises:
            UsageError: the lines have labels.
        """
        del exact
        if part.labels is not None:
            raise UsageError(
                "lines with labels cannot be read with adaptation, which reads one text after another under one label: "
                "leave it out, or score the lines of a label with --label"
            )
        unknown = self.tokenizer.unknown_id
        nats = unknown_nats = 0.0
        unknowns = done = 0
        for tokens, logs in self._blocks(part.ids):
            if by_part is not None:
                by_part.add(np.arange(done, done + len(tokens)), logs)
            strange = tokens == (-1 if unknown is None else unknown)
            nats -= float(logs.sum())
            unknown_nats -= float(logs[strange].sum())
            unknowns += int(np.count_nonzero(strange))
            done += len(tokens)
        return Evaluation(nats, done, unknown_nats, unknowns)

    def _begun(self) -> Predictor:
        self.predictor.start()
        return self.predictor

    def _blocks(self, ids: Ids) -> Iterator[tuple[Ids, Real]]:
        """Tokens of a text with their log-probabilities, some at a time."""
        found = ((token, logs[token]) for token, logs in distributions(self._begun(), ids, self.model.line_end))
        while block := list(islice(found, BLOCK)):
            tokens, logs = zip(*block, strict=True)
            yield np.array(tokens, np.int64), np.array(logs, np.float64)

    def _token_scores(self, ids: Ids, best: int) -> TokenScores:
        number = min(best, self.predictor.vocabulary)
        judged = [self._judge(token, logs, number) for token, logs in distributions(self._begun(), ids)]
        logprobs, entropies = (np.array([each[k] for each in judged], np.float64) for k in (0, 2))
        ranks = np.array([each[1] for each in judged], np.int64)
        likeliest = np.array([each[3] for each in judged], np.int64).reshape(len(ids), number)
        of_likeliest = np.array([each[4] for each in judged], np.float64).reshape(len(ids), number)
        return TokenScores(logprobs, ranks, entropies, likeliest, of_likeliest)

    @staticmethod
    def _judge(token: int, logs: Real, number: int) -> tuple[float, int, float, Ids, Real]:
        """Log-probability, rank and entropy of a token, and so many of the likeliest with their log-probabilities."""
        logprob, rank, entropy = judged_tokens(logs[:, None], np.array([token]))
        first = largest(logs[:, None], number)[:, 0] if number else np.zeros(0, np.int64)
        return float(logprob[0]), int(rank[0]), float(entropy[0]), first, logs[first]
