"""Texts whose tokens come in blocks, under a predictor, which reads one after another anyway."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from charlm.nn.arrays import Ids
from charlm.prediction.scorer import BLOCK, AdaptedScorer
from charlm.scoring import judged_tokens
from charlm.streams import Scored


def score_adapted(model: AdaptedScorer, texts: Sequence[Iterable[Ids]], *, details: bool = False) -> Iterator[Scored]:
    """Score texts one after another, each from a start; otherwise as ``charlm.streams.score_streams``."""
    for number, blocks in enumerate(texts):
        model.predictor.start()
        tokens = (token for block in blocks for token in block.tolist())
        while some := list(islice(tokens, BLOCK)):
            yield _scored(model, number, some, details=details)


def _scored(model: AdaptedScorer, number: int, tokens: list[int], *, details: bool) -> Scored:
    """What the next tokens of a text cost, as they are read."""
    predictor, ids = model.predictor, np.array(tokens)
    found = np.zeros((3, len(ids)))
    for place, token in enumerate(tokens):
        logs = predictor.log_probabilities()
        if details:
            found[:, place] = [float(each[0]) for each in judged_tokens(logs[:, None], ids[place : place + 1])]
        else:
            found[0, place] = logs[token]
        predictor.read(token)
    which = np.full(len(ids), number)
    return (
        Scored(which, ids, found[0], found[1].astype(np.int64), found[2]) if details else Scored(which, ids, found[0])
    )
