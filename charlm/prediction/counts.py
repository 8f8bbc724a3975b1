"""A counting model as a predictor, of its own vocabulary."""

from charlm.ngram.model import NGramModel
from charlm.ngram.probabilities import Contexts, contexts_behind, distribution_behind
from charlm.nn.heads.cross_entropy import Real
from charlm.scoring import log_softmax


class CountsPredictor:
    """The n-grams' probabilities of every next token.

    A file keeps them in float32, so that they sum to one but for rounding; here the rest is shared evenly.

    Args:
        model: n-grams, whose start of a text no text holds, so that it is no token.
    """

    def __init__(self, model: NGramModel) -> None:
        self._trie, self._smoothed = model.trie, model.smoothed
        self._contexts: Contexts = ()
        self._distribution: Real | None = None
        self.start()

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return self._trie.words - 1

    def start(self, *, forget: bool = True) -> None:
        """As ``Predictor.start``; there is nothing to forget."""
        del forget
        self._take(self._trie.words - 1, ())

    def log_probabilities(self) -> Real:
        """As ``Predictor.log_probabilities``."""
        if self._distribution is None:
            self._distribution = log_softmax(distribution_behind(self._trie, self._smoothed, self._contexts))
        return self._distribution

    def read(self, token: int) -> None:
        """As ``Predictor.read``."""
        self._take(token, self._contexts)

    def _take(self, word: int, contexts: Contexts) -> None:
        self._contexts = contexts_behind(self._trie, contexts, word)
        self._distribution = None
