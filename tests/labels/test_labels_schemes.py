"""Which scheme labels follow, and which entities they mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import coded

from charlm.labels.schemes import find_spans, marks_entities, scheme_of

Entity = tuple[str, int, int]


def spans(*sentences: str) -> list[Entity]:
    """Each entity's type, first token and the place behind its last."""
    found = find_spans(*coded(*sentences))
    types = [found.types[each] for each in found.type_ids]
    return list(zip(types, found.begins.tolist(), found.ends.tolist(), strict=True))


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["B-PER I-PER O", "O B-LOC"], "BIO"),
        (["B-PER B-PER O"], "BIO"),
        (["I-PER I-PER O"], "IOB1"),
        (["I-PER B-PER I-PER O", "I-LOC B-LOC"], "IOB1"),
        (["I-PER B-LOC O"], "BIO"),  # begins with both, so neither
        (["I-PER", "B-PER"], "BIO"),  # of another sentence
        (["B-PER E-PER O S-LOC"], "BIOES"),
        (["S-PER O"], "BIOES"),
        (["B-PER L-PER O U-LOC"], "BILOU"),
        (["B-PER E-PER L-PER U-PER"], "plain"),
        (["B I O B"], "BIO"),
        (["I O I"], "plain"),  # as likely a part of speech
        (["NOUN VERB O"], "plain"),
        (["B-PER VERB"], "plain"),
        (["O O"], "plain"),
        (["B-NP I-NP B-VP"], "BIO"),  # chunks need no O
        (["B- O"], "plain"),
    ],
)
def test_schemes_are_recognised(sentences: list[str], scheme: str) -> None:
    labels = coded(*sentences)
    assert scheme_of(*labels) == scheme
    assert marks_entities(labels[0]) == (scheme != "plain")


def test_labels_that_do_not_occur_do_not_count() -> None:
    names, ids, starts = coded("B-PER I-PER O")
    assert scheme_of((*names, "VERB"), ids, starts) == "BIO"


@pytest.mark.parametrize(
    ("sentences", "entities"),
    [
        (["O B-A I-A O B-B"], [("A", 1, 3), ("B", 4, 5)]),
        (["B-A B-A I-A"], [("A", 0, 1), ("A", 1, 3)]),
        (["B-A", "I-A I-A"], [("A", 0, 1), ("A", 1, 3)]),  # a sentence ends what is in it
        (["B-A E-A S-A S-A O"], [("A", 0, 2), ("A", 2, 3), ("A", 3, 4)]),
        (["B-A I-A L-A U-A O"], [("A", 0, 3), ("A", 3, 4)]),
        (["B I O B"], [("", 0, 2), ("", 3, 4)]),
        (["B-a-b I-a-b"], [("a-b", 0, 2)]),
        (["O O"], []),
        (["O"], []),
        # What no entity has, as conlleval reads it:
        (["O I-A I-A"], [("A", 1, 3)]),
        (["B-A I-B I-B"], [("A", 0, 1), ("B", 1, 3)]),
        (["B-A O I-A"], [("A", 0, 1), ("A", 2, 3)]),
        (["O E-A E-A I-A"], [("A", 1, 2), ("A", 2, 3), ("A", 3, 4)]),
        (["S-A I-A E-A"], [("A", 0, 1), ("A", 1, 3)]),
        (["B-A S-A"], [("A", 0, 1), ("A", 1, 2)]),
        (["I-A B-A E-B"], [("A", 0, 1), ("A", 1, 2), ("B", 2, 3)]),
    ],
)
def test_entities_are_those_that_conlleval_finds(sentences: list[str], entities: list[Entity]) -> None:
    assert spans(*sentences) == entities


LETTERS = {"BIO": ("B", "I", "I", "B"), "BIOES": ("B", "I", "E", "S"), "BILOU": ("B", "I", "L", "U")}


def written(entities: list[Entity], tokens: int, scheme: str) -> list[str]:
    """Labels that mark these entities."""
    first, inside, last, single = LETTERS[scheme]
    labels = ["O"] * tokens
    for kind, begin, end in entities:
        labels[begin:end] = [first, *[inside] * (end - begin - 2), last] if end - begin > 1 else [single]
        labels[begin:end] = [f"{letter}-{kind}" for letter in labels[begin:end]]
    return labels


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("AB"), st.integers(1, 4)), min_size=1),
    st.sampled_from(list(LETTERS)),
)
def test_entities_come_back_from_every_scheme(parts: list[tuple[int, str, int]], scheme: str) -> None:
    """Written in a scheme and read again, entities are the same, however close they stand."""
    entities, at = [], 0
    for gap, kind, length in parts:
        entities.append((kind, at + gap, at + gap + length))
        at += gap + length
    assert spans(" ".join(written(entities, at, scheme))) == entities


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"]), min_size=1))
def test_every_token_but_those_outside_is_in_one_entity(labels: list[str]) -> None:
    """Entities are in order, do not overlap, and each is of its tokens' type."""
    covered = [(place, kind) for kind, begin, end in spans(" ".join(labels)) for place in range(begin, end)]
    assert covered == [(place, label[2:]) for place, label in enumerate(labels) if label != "O"]
