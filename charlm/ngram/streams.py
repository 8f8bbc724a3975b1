"""Texts whose tokens come in blocks, under n-grams: a block needs no more than the last words of the one before."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from charlm.ngram.model import NGramModel
from charlm.nn.arrays import Ids
from charlm.scorer import Scorer
from charlm.streams import Scored


def score_counted(model: Scorer, texts: Sequence[Iterable[Ids]], *, details: bool = False) -> Iterator[Scored]:
    """Score texts one after another, each from a start; otherwise as ``charlm.streams.score_streams``.

    Raises:
        TypeError: the model does not count n-grams.
    """
    if not isinstance(model, NGramModel):
        raise TypeError(f"{type(model).__name__} scores no texts in blocks")
    reach = model.trie.order - 1
    for number, blocks in enumerate(texts):
        before = np.zeros(0, np.int64)
        for block in blocks:
            words = np.concatenate((before, block)).astype(np.int64)
            new, texts_of = slice(len(before), None), np.full(block.size, number)
            if details:
                (found,) = model.score_tokens([words])
                yield Scored(texts_of, words[new], found.logprobs[new], found.ranks[new], found.entropies[new])
            else:
                (logprobs,) = model.score_texts([words])
                yield Scored(texts_of, words[new], logprobs[new])
            before = words[max(0, len(words) - reach) :]
