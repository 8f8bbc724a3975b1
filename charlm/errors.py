"""The exception tree; each kind has its own exit status.

    CharlmError                1
    |-- UsageError             2   an option's value makes no sense
    |-- InputError             3   a text cannot be read or is too short
    |-- ModelError             4   a model file is missing, damaged or of another kind
    |-- OutputError            5   a file cannot be written
    |-- TrainingError          6   training cannot go on
    `-- SearchError            7   what was asked for was not found

Every message says what happened, where, and what to do about it.
"""


class CharlmError(Exception):
    """Base of everything that charlm reports to its user in one message."""

    exit_status = 1


class UsageError(CharlmError):
    """An option or argument is out of its range or contradicts another."""

    exit_status = 2


class InputError(CharlmError):
    """A text cannot be read, decoded, or is too short for what is asked."""

    exit_status = 3


class ModelError(CharlmError):
    """A model file is missing, damaged, of another format, or does not fit."""

    exit_status = 4


NOT_FINITE = (
    "the model's weights are so large that its figures are not finite: it is damaged, or its training failed. "
    "Use another copy of it, or train it again"
)
"""What to say of a model whose weights are finite, while what is computed with them is not."""


class OutputError(CharlmError):
    """A file or folder cannot be written."""

    exit_status = 5


class TrainingError(CharlmError):
    """Training cannot go on: the loss or a gradient is not finite."""

    exit_status = 6


class SearchError(CharlmError):
    """What was asked for cannot be found, or was not within a budget."""

    exit_status = 7
