"""What a tagger says of sentences: the label of each word, and the entities that labels mark."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from charlm.errors import NOT_FINITE, InputError, ModelError
from charlm.labelling.encoding import Lookup
from charlm.labelling.model import Labeler
from charlm.labelling.predicting import predict
from charlm.labels.rows import Coded
from charlm.labels.schemes import find_spans
from charlm.nn.arrays import Ids
from charlm.text.reading import normalise
from charlm.text.tokenizer import find_level
from charlm.text.vocabulary import MARK


class Sentence(NamedTuple):
    """Words to tag.

    Attributes:
        words: at least one, none empty.
        joined: [words], whether no space stands before; None: a space stands before each.
    """

    words: tuple[str, ...]
    joined: tuple[bool, ...] | None = None

    def text(self, begin: int, end: int) -> str:
        """The words from one to before another, as they are written."""
        return "".join(
            self.words[i] if i == begin or (self.joined and self.joined[i]) else f" {self.words[i]}"
            for i in range(begin, end)
        )


def cut_sentence(text: str) -> Sentence:
    """The words of a text, cut as the word level does: "was nice." is "was", "nice", ".".

    Raises:
        InputError: there is no word.
    """
    tokens = [token for token in find_level("word").cut("file", False, normalise(text)) if not token.isspace()]
    if not tokens:
        raise InputError("there is no word to tag in the text")
    marked = tuple(len(token) > 1 and token[0] == MARK for token in tokens)
    return Sentence(tuple(token[joined:] for token, joined in zip(tokens, marked, strict=True)), marked)


@dataclass(frozen=True)
class Entity:
    """Words that labels mark together.

    Attributes:
        type: such as "PER"; empty where labels name none.
        begin: place of the first of its words in the sentence, from 0.
        end: the place behind the last one.
        text: the words.
    """

    type: str
    begin: int
    end: int
    text: str


@dataclass(frozen=True)
class Tagged:
    """A sentence with its labels.

    Attributes:
        tokens: its words.
        labels: the likeliest label of each.
        probabilities: what the model gives these labels.
        entities: that they mark, in their order; none where labels are plain.
    """

    tokens: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    entities: tuple[Entity, ...]

    def to_json(self) -> dict[str, Any]:
        """The object that ``charlm tag apply --format json`` writes."""
        return asdict(self)


@dataclass(frozen=True)
class SentenceTagger:
    """A tagger made ready for sentences.

    Attributes:
        model: with its labels.
        lookup: under its vocabularies.
    """

    model: Labeler
    lookup: Lookup

    @classmethod
    def of(cls, model: Labeler) -> Self:
        """Of this model."""
        text = model.text
        return cls(model, Lookup.of(model.vocabulary, model.characters, text.level, lowercase=text.lowercase))

    def tag(self, sentences: Sequence[Sentence]) -> list[Tagged]:
        """Tag sentences together.

        Raises:
            ModelError: the weights are so large that nothing is finite.
        """
        if not sentences:
            return []
        names = self.model.labels.names
        starts = np.zeros(len(sentences) + 1, np.int64)
        np.cumsum([len(each.words) for each in sentences], out=starts[1:])
        words = Coded.of(word for each in sentences for word in each.words)
        found = predict(self.model.network, self.lookup.encode(words, starts))
        if not np.isfinite(found.log_probabilities).all():
            raise ModelError(NOT_FINITE)
        labels, probabilities = found.labels.tolist(), np.exp(found.log_probabilities).tolist()
        entities = self._entities(sentences, found.labels, starts)
        return [
            Tagged(
                sentence.words,
                tuple(names[label] for label in labels[begin:end]),
                tuple(probabilities[begin:end]),
                tuple(marked),
            )
            for sentence, marked, (begin, end) in zip(sentences, entities, pairwise(starts.tolist()), strict=True)
        ]

    def _entities(self, sentences: Sequence[Sentence], labels: Ids, starts: Ids) -> Iterator[list[Entity]]:
        """Those of each sentence."""
        spans = find_spans(self.model.labels.names, labels, starts)
        kinds = [spans.types[kind] for kind in spans.type_ids.tolist()]
        rows = list(zip(kinds, spans.begins.tolist(), spans.ends.tolist(), strict=True))
        bounds = np.searchsorted(spans.begins, starts).tolist()
        for number, sentence in enumerate(sentences):
            first = int(starts[number])
            yield [
                Entity(kind, begin - first, end - first, sentence.text(begin - first, end - first))
                for kind, begin, end in rows[bounds[number] : bounds[number + 1]]
            ]
