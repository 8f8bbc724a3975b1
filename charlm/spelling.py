r"""The spelling of unknown tokens, so that models that know different tokens give the probability of the same text.

<UNK> says that a token comes which the model does not know, and not which. That is left to a distribution over
spellings, which follows from the vocabulary alone:

-   Of characters, each code point that the vocabulary lacks is as likely as any other.
-   Words and tokens are spelt character by character, each independent of the others, until the end of the token. The
    probability of a character, or of the end, is its share of all characters and ends in the vocabulary, each token
    taken once; one occurrence more is the end's, and one is shared by all code points that the vocabulary lacks.

So P(token) = P(<UNK>) P(spelling), and over all texts the probabilities sum to no more than 1.
"""

import math
from collections import Counter

from charlm.text.tokenizer import Tokenizer

CODE_POINTS = 0x110000


class Speller:
    """Gives the log-probabilities of spellings.

    Args:
        tokenizer: whose unknown tokens are spelt; any but one of bytes, which has none.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokens = tokenizer.vocabulary.ordinary_tokens()
        self._single = tokenizer.level == "char"
        self._counts = Counter("".join(tokens))
        self._ends = len(tokens) + 1
        # The end's occurrences are counted with it, and so is the one that unknown characters share.
        self._all = self._counts.total() + self._ends + 1

    def log_probability(self, token: str) -> float:
        """Of the spelling of a token that the vocabulary lacks, as ``Tokenizer.cut`` gives it, in nats."""
        others = -math.log(CODE_POINTS - len(self._counts))
        if self._single:
            return others
        nats = math.log(self._ends / self._all)
        for character, times in Counter(token).items():
            count = self._counts[character]
            nats += times * (math.log(count / self._all) if count else others - math.log(self._all))
        return nats
