"""What a model sees, from Python: pages of texts by surprise, and units that follow a property of a text."""

from collections.abc import Iterable

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.errors import InputError, UsageError
from charlm.heatmap import render
from charlm.neurons import Found, find_units
from charlm.surprise import SurprisePage
from charlm.text.pieces import pieces_of_text
from charlm.text.properties import by_regex, find_property, of_tokens
from charlm.text.reading import normalise


def heatmap(model: TrainedModel, texts: Iterable[str | bytes], title: str, unk_vocabulary: int = 1) -> str:
    """A page of HTML that shows texts coloured by the surprise of their tokens.

    Args:
        model: whose probabilities.
        texts: as many as there is room for are shown.
        title: what they are, for the heading.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.

    Raises:
        UsageError: ``unk_vocabulary`` is not positive.
        ModelError: a figure is not finite.
    """
    require("unk_vocabulary", unk_vocabulary, minimum=1)
    page = SurprisePage(model, unk_vocabulary=unk_vocabulary)
    for text in texts:
        page.add(text)
    return render(page.page(title))


def units_that_follow(
    model: TrainedModel, text: str, find: str | None, find_regex: str | None, *, part: str = "hidden", best: int = 10
) -> Found:
    """The units of a model whose values follow a property of a text best.

    Args:
        model: whose units.
        text: what to read.
        find: name of a property; see ``charlm.text.properties``.
        find_regex: instead, a regular expression: whether a match of it covers a token.
        part: "hidden" or "cell".
        best: how many units.

    Raises:
        UsageError: not one property is named, or it is none; the units have no such part; ``best`` is below 1.
        InputError: the text is empty, or a half of it has only one value of the property.
    """
    if (find is None) == (find_regex is None):
        raise UsageError("give one of find, the name of a property, and find_regex, a regular expression")
    wanted = by_regex(find_regex) if find_regex is not None else find_property(find or "")
    text = normalise(text)
    if not text:
        raise InputError("the text is empty: there is nothing to read")
    tokenizer = model.tokenizer
    return find_units(
        model.network,
        tokenizer.encode_sentence(text),
        of_tokens(wanted, pieces_of_text(tokenizer, text)),
        line_end=model.line_end,
        ranked=wanted.graded,
        part=part,
        best=best,
    )
