"""The tokens of a part of text that a model reads under the one label it was given."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.nn.arrays import Ids
    from charlm.text.parts import Part


def ids_under_label(trained: "TrainedModel", part: "Part") -> "Ids":
    """Ids [N] of a part's lines with the label that the model reads texts under; of all of it where there are none."""
    if part.labels is None:
        return part.ids
    from charlm.lanes import TextLabels  # noqa: PLC0415 - NumPy is loaded only when it is used

    assert trained.network.label is not None  # noqa: S101 - it has one where its texts have
    return part.ids[TextLabels.of_lines(part.ids, trained.line_end, part.labels).have(trained.network.label)]
