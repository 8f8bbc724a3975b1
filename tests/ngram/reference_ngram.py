"""Modified Kneser-Ney by dictionaries, one n-gram at a time: what the trie is held against."""

from collections import Counter
from collections.abc import Sequence

Gram = tuple[int, ...]
FALLBACK = (0.5, 1.0, 1.5)


class Reference:
    """Estimates from sentences of words, each without its <s>.

    Args:
        sentences: words; they end where they end.
        words: how many words there are, <s>, the last, included.
        order: of the longest n-grams.
    """

    def __init__(self, sentences: Sequence[Sequence[int]], words: int, order: int) -> None:
        self.words, self.order, self.start = words, order, words - 1
        rows = [(self.start, *sentence) for sentence in sentences]
        self.counts = [
            Counter(row[i : i + n] for row in rows for i in range(len(row) - n + 1)) for n in range(1, order + 1)
        ]
        self.adjusted = [self._adjusted(n) for n in range(1, order + 1)]
        self.discounts = [self._discounts(adjusted) for adjusted in self.adjusted]

    def _adjusted(self, n: int) -> Counter[Gram]:
        if n == self.order:
            found = Counter(self.counts[n - 1])
        else:
            company = Counter(gram[1:] for gram in self.counts[n])
            found = Counter(
                {g: self.counts[n - 1][g] if g[0] == self.start else company[g] for g in self.counts[n - 1]}
            )
        del found[(self.start,)]
        return found

    def _discounts(self, adjusted: Counter[Gram]) -> tuple[float, ...]:
        t = [sum(1 for count in adjusted.values() if count == k) for k in range(1, 5)]
        if not all(t[:3]):
            return FALLBACK
        y = t[0] / (t[0] + 2 * t[1])
        found = tuple(k - (k + 1) * y * t[k] / t[k - 1] for k in (1, 2, 3))
        return found if all(0 < d <= k for k, d in enumerate(found, 1)) else FALLBACK

    def probability(self, gram: Gram) -> float:
        """P(last word | those before), of which no more than ``order`` - 1 count."""
        *context, word = gram[-self.order :]
        below = 1 / (self.words - 1) if not context else self.probability((*context[1:], word))
        followers = {g: a for g, a in self.adjusted[len(context)].items() if g[:-1] == tuple(context) and a}
        total = sum(followers.values())
        if not total:
            return below
        discounts = (0.0, *self.discounts[len(context)])
        left = sum(discounts[min(a, 3)] for a in followers.values())
        own = followers.get((*context, word), 0)
        return (own - discounts[min(own, 3)] + left * below) / total
