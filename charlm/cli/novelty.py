"""What samples copy from the text that their model was trained on, in words and figures."""

from typing import TYPE_CHECKING, Any

from charlm.cli.console import counted, note, visible
from charlm.cli.sample_extras import Extras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from charlm.checkpoint import TrainedModel
    from charlm.novelty.copies import TrainingText
    from charlm.samples import Sample

_REMEDY = "name it with --text FILE"
_LARGE = 4_000_000
"""Tokens of a text that is put into order in no time."""


def training_text(trained: "TrainedModel", extras: Extras) -> "TrainingText | None":
    """The text that a model was trained on, ready to be searched; None where nobody asked for it.

    Raises:
        InputError: it is not there, or is another one now.
    """
    if not extras.novelty and extras.max_copy is None:
        return None
    from charlm.novelty.copies import TrainingText  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.training import setup  # noqa: PLC0415 - likewise

    if extras.text is not None:
        from charlm.cli.evaluate import part_of  # noqa: PLC0415 - only here

        part = part_of(trained, [extras.text], None)
    else:
        from charlm.cli.preparing import preparing  # noqa: PLC0415 - only here

        texts, valid = setup.own_texts(trained, _REMEDY)
        with preparing(quiet=False) as watched:
            part = setup.own_corpus(trained, watched(texts), valid, _REMEDY).train
    size = len(part)

    def tell() -> None:
        if size > _LARGE:
            note(f"putting {size:,} tokens into order, to be searched: this takes a while, and is kept")

    return TrainingText(trained, part, tell)


def rounds(extras: Extras, number: int) -> int:
    """How many samples may be drawn for each prompt."""
    if extras.max_copy is None:
        return number
    from charlm.novelty.copies import TRIES  # noqa: PLC0415 - NumPy is loaded only when it is used

    return TRIES * number if extras.tries is None else extras.tries


def kept(
    samples: "Iterator[Sample]", training: "TrainingText | None", most: int | None, number: int, prompts: int
) -> "Iterator[Sample]":
    """Those samples that copy no more tokens in a row than they may; all where nobody said."""
    if training is None or most is None:
        return samples
    from charlm.novelty.copies import novel_samples  # noqa: PLC0415 - NumPy is loaded only when it is used

    return novel_samples(samples, training, most, number, prompts)


def told(samples: "Iterable[Sample]", training: "TrainingText | None") -> "Iterator[Sample]":
    """The same samples; of each it is said, when it has been written, what it copies."""
    for number, sample in enumerate(samples, start=1):
        yield sample
        copied = training.copied(sample.drawn.ids) if training else None
        if copied is None:
            note(f"sample {number} has no token from the training text")
            continue
        where = f"before token {copied.place:,}" if copied.line is None else f"line {copied.line:,}"
        note(f"sample {number} copies {counted(copied.tokens, 'token')}, {visible(copied.text)}: {where} of the text")


def told_as_json(training: "TrainingText | None") -> "Callable[[Sample], dict[str, Any]]":
    """What tells what the object of a sample has besides."""

    def tell(sample: "Sample") -> dict[str, Any]:
        copied = training.copied(sample.drawn.ids) if training else None
        return {"copied": None if copied is None else copied.to_json()}

    return tell
