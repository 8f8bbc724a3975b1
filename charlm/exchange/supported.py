"""What of a model other programs have a form for."""

from charlm.checkpoint import TrainedModel
from charlm.errors import ModelError


def refuse_labels(model: TrainedModel) -> None:
    """Refuse a model of texts with labels.

    Raises:
        ModelError: it is one.
    """
    if model.labels is not None:
        raise ModelError(
            f"the model has {len(model.labels)} labels, whose embeddings are added to every input: the files for "
            "PyTorch and ONNX have no place for them. Use a model trained without --labels"
        )
