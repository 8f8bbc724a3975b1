"""A naive reference of the recurrent networks, to hold the fused engine against.

One matrix a gate, one example at a time, plain loops over time, batch and layers: slow, and short enough to be
checked by eye. What is where:

    reference_cells         the equations of every cell, what a `Network` is, and its parameters' names
    reference_model         the language model
    reference_encoder       the encoder of one direction or two
    reference_noise         dropout, DropConnect, penalties and smoothed targets, their masks given
    reference_labels        label models: encoder, pooling, heads
    reference_derivatives   the derivatives of all, by complex steps
    reference_golden        what PyTorch and ONNX Runtime found, as it is stored

A test imports all of it from here. Nothing in it imports the engine.
"""

from __future__ import annotations

from reference_cells import (
    OPTIONS,
    STATE_PARTS,
    Array,
    Network,
    Parameters,
    Parts,
    cell_shapes,
    random_parameters,
    run_lane,
    step,
)
from reference_derivatives import Gradients
from reference_encoder import (
    DIRECTIONS,
    encode,
    encode_gradients,
    encoder_objective,
    encoder_shapes,
)
from reference_golden import (
    GOLDEN,
    Golden,
    GoldenEncoder,
    GoldenLabels,
    GoldenOperator,
    load_golden,
    load_golden_encoder,
    load_golden_labels,
    load_golden_onnx,
    to_bytes,
)
from reference_labels import (
    LabelBatch,
    LabelNetwork,
    label_gradients,
    label_loss,
    label_probabilities,
    label_shapes,
)
from reference_model import (
    SILENCE,
    Result,
    State,
    gradients,
    loss_gradient_with_upstream,
    objective,
    parameter_shapes,
    random_state,
    run,
    zero_state,
)
from reference_noise import Noise

__all__ = [
    "DIRECTIONS",
    "GOLDEN",
    "OPTIONS",
    "SILENCE",
    "STATE_PARTS",
    "Array",
    "Golden",
    "GoldenEncoder",
    "GoldenLabels",
    "GoldenOperator",
    "Gradients",
    "LabelBatch",
    "LabelNetwork",
    "Network",
    "Noise",
    "Parameters",
    "Parts",
    "Result",
    "State",
    "cell_shapes",
    "encode",
    "encode_gradients",
    "encoder_objective",
    "encoder_shapes",
    "gradients",
    "label_gradients",
    "label_loss",
    "label_probabilities",
    "label_shapes",
    "load_golden",
    "load_golden_encoder",
    "load_golden_labels",
    "load_golden_onnx",
    "loss_gradient_with_upstream",
    "objective",
    "parameter_shapes",
    "random_parameters",
    "random_state",
    "run",
    "run_lane",
    "step",
    "to_bytes",
    "zero_state",
]
