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
    long_texts,
    lstms,
    memory,
    ngram_scoring,
    normalized,
    regularisation,
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
    *comparing.MUTANTS,
    *score_units.MUTANTS,
    *seeing.MUTANTS,
    *ngram_scoring.MUTANTS,
    *long_texts.MUTANTS,
    *regularisation.MUTANTS,
]
