"""``charlm train``: from a text to a model."""

from pathlib import Path
from typing import Any

from charlm.cli.run_options import sorted_out, take_options
from charlm.training.options import TYPES_AND_MEANINGS


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Train a model on a text. Ctrl-C stops it with the work saved; --resume goes on."""
    from charlm.cli.dispatch import train_here  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.cli.training import LANGUAGE_MODEL  # noqa: PLC0415 - likewise

    asked, options = sorted_out(given)
    train_here(LANGUAGE_MODEL, corpus or [], model, asked, options)


take_options(
    train,
    TYPES_AND_MEANINGS,
    "Text files, folders or patterns; .gz, .bz2 and .xz are unpacked; - is standard input.",
    "runs/<name of the corpus>",
)
