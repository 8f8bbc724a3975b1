"""Which words or characters made a classifier decide as it did: gradient times input.

Each token is worth the sum over its embedding x of x times the gradient of the label's log-odds, log(p / (1 - p)): how
much these would change if the embedding became a little longer (Shrikumar et al. 2016; Simonyan et al. 2014). Unlike
log p, the log-odds do not level off where a model is sure. Labels of a sigmoid are judged together: there it is the
gradient of minus the loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from charlm.labelling.encoding import encode_texts, ends_of
from charlm.labelling.model import Labeler
from charlm.nn.arrays import Ids
from charlm.nn.label_model import LabelModel
from charlm.text.level import to_utf8
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK, SPECIAL_TOKENS, UNK


@dataclass(frozen=True)
class Contribution:
    """What a token did for a label.

    Attributes:
        token: as the vocabulary spells it; <EOS> behind the text.
        contribution: above 0 it speaks for the label, below against it; nats.
        begin: where it begins in the text that was read, in code points.
        end: where it ends; a byte within a character, and what is no part of the text, ends where it begins.
        unknown: whether the model read it as <UNK>.
    """

    token: str
    contribution: float
    begin: int
    end: int
    unknown: bool


@dataclass(frozen=True)
class Why:
    """What spoke for a label of a text, and what against it.

    Attributes:
        label: the label.
        probability: that the model gives it.
        text: as it was read, in lower case where the model reads it so.
        contributions: of each token, in their order.
    """

    label: str
    probability: float
    text: str
    contributions: tuple[Contribution, ...]


def why(model: Labeler, text: str, label: int | None = None) -> Why:
    """What made a classifier give a text this label; None for the likeliest one."""
    network, tokenizer = _in_double(model.network), model.tokenizer
    data = encode_texts([text], tokenizer)
    lanes, _ = data.batch([0], 1, per_token=False)
    work = network.new_workspace(*lanes.ids.shape)
    logs = network.log_probabilities(work, lanes)[:, 0]
    chosen = int(logs.argmax()) if label is None else label
    gradients = network.input_gradients(work, lanes, np.array([chosen]))
    scale = 1.0
    if network.config.output == "softmax":
        # Of log p it is (1 - p) times that of the log-odds.
        scale = 1 / max(float(np.exp(np.delete(logs, chosen)).sum()), np.finfo(np.float64).tiny)
    read = _as_read(text, tokenizer)
    strange = np.zeros(len(data.ids), np.bool_) if tokenizer.unknown_id is None else data.ids == tokenizer.unknown_id
    whole = tokenizer.encode_sentence(read)
    tokens = list(_tokens(read, whole, tokenizer))
    places = [tokens[place] for place in ends_of(np.arange(len(whole))).tolist()]
    rows = zip(places, lanes.take_out(gradients)[0] * scale, strange, strict=True)
    contributions = tuple(
        Contribution(token, float(value), begin, end, bool(unknown)) for (token, begin, end), value, unknown in rows
    )
    return Why(model.labels.names[chosen], float(np.exp(logs[chosen])), read, contributions)


def _in_double(network: LabelModel) -> LabelModel:
    """The network in float64, in which 1 - p is there even where the model is sure."""
    found = LabelModel(network.config, np.float64)
    for name, view in found.parameters.views.items():
        view[...] = network.parameters.views[name]
    return found


def _as_read(text: str, tokenizer: Tokenizer) -> str:
    read = normalise(text)
    return read.lower() if tokenizer.lowercase else read


def _tokens(text: str, ids: Ids, tokenizer: Tokenizer) -> Iterator[tuple[str, int, int]]:
    """The tokens of a text, and where each begins and ends in it."""
    names = [tokenizer.vocabulary.token(each) for each in ids.tolist()]
    if tokenizer.level == "byte":
        yield from zip(names, *_places_of_bytes(text), strict=True)
        return
    for number, token in enumerate(tokenizer.cut(text)[: len(names)]):
        if names[number] == SPECIAL_TOKENS[UNK]:
            names[number] = token
    place = 0
    for name in names:
        begin, place = _next_place(text, place, name)
        yield name, begin, place


def _places_of_bytes(text: str) -> tuple[list[int], list[int]]:
    """Where each byte of a text begins and ends in it, and the <EOS> behind it."""
    begins, ends = [], []
    for number, character in enumerate(text):
        more = len(to_utf8(character)) - 1
        begins += [number, *[number + 1] * more]
        ends += [number + 1] * (1 + more)
    return [*begins, len(text)], [*ends, len(text)]


def _next_place(text: str, place: int, token: str) -> tuple[int, int]:
    """Where the token stands that is the next from a place on; white space before it may be none of its own."""
    spellings = (token, token[1:]) if token[0] == MARK and len(token) > 1 else (token,)
    begin = place
    while True:
        for spelt in spellings:
            if text.startswith(spelt, begin):
                return begin, begin + len(spelt)
        if token == SPECIAL_TOKENS[EOS] and text.startswith("\n", begin):
            return begin, begin + 1
        if not text[begin : begin + 1].isspace():
            # What is spelt otherwise: <UNK> where the text says so itself, and the <EOS> that it was given.
            run = text[begin:].split(maxsplit=1)[:1] if token == SPECIAL_TOKENS[UNK] else []
            return begin, begin + sum(map(len, run))
        begin += 1
