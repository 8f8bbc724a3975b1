"""``charlm.Model``: everything that can be done with a trained model."""

from charlm.loaded_model.adapting import Adapting
from charlm.loaded_model.drawing import Drawing
from charlm.loaded_model.judging import Judging
from charlm.loaded_model.looking import Looking
from charlm.loaded_model.packing import Packing


class Model(Drawing, Judging, Looking, Adapting, Packing):
    """A trained model: ``charlm.load(path)`` or what ``charlm.train`` returns.

    Attributes:
        trained: network, tokenizer and record, for those who want to look inside.
    """
