"""``charlm.Model``: everything that can be done with a trained model."""

from charlm.loaded_model.drawing import Drawing
from charlm.loaded_model.judging import Judging
from charlm.loaded_model.looking import Looking


class Model(Drawing, Judging, Looking):
    """A trained model: ``charlm.load(path)`` or what ``charlm.train`` returns.

    Attributes:
        trained: network, tokenizer and record, for those who want to look inside.
    """
