"""The errors that `python tests/mutants.py` plants, one list a part of the package."""

from planted import (
    comparing,
    encoder,
    engine,
    exchange,
    grus,
    heads,
    in_place,
    input_gated,
    labelled,
    language_models,
    lstms,
    memory,
    ngram_models,
    ngram_scoring,
    ngrams,
    normalized,
    score_units,
    seeing,
)
from planted.mutant import Mutant

MUTANTS: list[Mutant] = [
    *lstms.MUTANTS,
    *grus.MUTANTS,
    *normalized.MUTANTS,
    *input_gated.MUTANTS,
    *engine.MUTANTS,
    *memory.MUTANTS,
    *in_place.MUTANTS,
    *encoder.MUTANTS,
    *heads.MUTANTS,
    *exchange.MUTANTS,
    *language_models.MUTANTS,
    *labelled.MUTANTS,
    *ngrams.MUTANTS,
    *ngram_models.MUTANTS,
    *comparing.MUTANTS,
    *score_units.MUTANTS,
    *seeing.MUTANTS,
    *ngram_scoring.MUTANTS,
]
