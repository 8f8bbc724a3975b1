"""DropConnect: weights are dropped instead of values (Wan et al. 2013), here the recurrent ones of a block.

One mask a window (Merity et al. 2017, the weight-dropped LSTM): the same connections from one step's activation to the
next's are missing at every step and in every lane, so the recurrence itself is regularised, and a step costs what it
did. Going back, the same are missing, and a weight that was dropped has no gradient.

What is kept is scaled by 1 / (1 - rate), as the authors' code does; Wan et al. average over masks when the model is
used. Only matrices ``W_ga`` are dropped: diagonal weights such as peepholes stay, and so do biases.
"""

from dataclasses import dataclass, field

import numpy as np

from charlm.nn.arrays import Array, Views
from charlm.nn.block import Block
from charlm.nn.dropout import draw_mask
from charlm.nn.regularization import Regularization


@dataclass
class DropConnect:
    """The masks of one block's recurrent matrices.

    Attributes:
        masks: name -> [H, H], of the last window; none where nothing was dropped.
    """

    masks: dict[str, Array] = field(default_factory=dict)

    def forward(self, block: Block, views: Views, how: Regularization) -> Views:
        """The block's parameters ``views``, of its recurrent matrices what was not dropped."""
        if how.recurrent == 0:
            self.masks.clear()
            return views
        assert block.recurrent, "this block has no recurrent weights"
        left = {}
        for gate in block.gates:
            name = f"W_{gate}a"
            mask = self.masks.setdefault(name, np.empty_like(views[name]))
            draw_mask(mask, how.recurrent, how.generator)
            left[name] = views[name] * mask
        return {**views, **left}

    def backward(self, gradients: Views) -> None:
        """From the gradients of what was left of the matrices to those of the matrices, in place."""
        for name, mask in self.masks.items():
            gradients[name][...] *= mask
