"""Samples in colour: in a terminal, and on a page."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from charlm.cli.console import counted, flush, result
from charlm.cli.painting import painter, write_page
from charlm.cli.sample_output import write_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from charlm.checkpoint import TrainedModel
    from charlm.samples import Sample

_TOGETHER = 64
"""Samples that are scored together."""


def write_painted(trained: "TrainedModel", samples: "Iterable[Sample]") -> None:
    """Write samples with their prompts, each token coloured by its surprise; plain where there are to be no colours."""
    from charlm.colours import SURPRISE  # noqa: PLC0415 - --help needs no colours
    from charlm.surprise import tokens_of_pieces  # noqa: PLC0415 - NumPy is loaded only when it is used

    paint = painter(SURPRISE)
    if paint is None:
        write_texts(trained, samples)
        return
    paint.show_legend()
    waiting, number = iter(samples), 0
    while group := list(islice(waiting, _TOGETHER if number else 1)):
        for tokens in tokens_of_pieces(trained, [(sample.shown(), sample.ids) for sample in group]):
            if number and not trained.text.independent_lines:
                result("")
            number += 1
            result(paint.paint(tokens[:-1] if tokens and tokens[-1].end else tokens))
        flush()


def shown_on_page(trained: "TrainedModel", samples: "Iterable[Sample]", path: Path) -> "Iterator[Sample]":
    """The same samples, and a page of them when they are through."""
    from charlm.surprise import SurprisePage  # noqa: PLC0415 - NumPy is loaded only when it is used

    page = SurprisePage(trained)
    for sample in samples:
        yield sample
        page.add_pieces(sample.shown(), sample.ids)
    write_page(path, page.page(counted(page.given, "sample")), "--html")
