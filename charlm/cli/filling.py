"""Texts with their gaps filled, as a table or JSON."""

from typing import TYPE_CHECKING

from charlm.cli.console import note, result, result_json, shown_text, visible
from charlm.cli.sample_extras import Extras

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel

NUMBER = 10
"""Fillings that are shown where nobody said."""


def show_filled(trained: "TrainedModel", extras: Extras, number: int | None, *, jsonl: bool) -> None:
    """Print the likeliest fillings that are found, likeliest first, with the log-probability of the whole text."""
    from charlm.filling import WIDTH, fill, unknown_around  # noqa: PLC0415 - NumPy is loaded only when it is used

    template = extras.fill or ""
    width = WIDTH if extras.width is None else extras.width
    found = fill(trained, template, number or NUMBER, longest=extras.gap, width=width)
    if unknown := unknown_around(trained, template):
        note(f"the model does not know {', '.join(map(visible, unknown))}: read as <UNK>")
    if not jsonl:
        result(f"{'nats':>12}  text")
    for each in found:
        if jsonl:
            result_json(each.to_json())
        else:
            result(f"{each.logprob:12.4f}  {shown_text(each.text)}")
