"""A model as an ONNX file that a runtime computes step by step; ``charlm.exchange.graph`` makes its graph."""

import json
from typing import Any

from charlm.checkpoint import TrainedModel
from charlm.errors import ModelError, UsageError
from charlm.exchange.graph import LOG_PROBABILITIES, TOKENS, Operator, graph_of, next_name
from charlm.exchange.supported import refuse_labels
from charlm.exchange.tokens import token_list
from charlm.version import __version__

OPSET = 18
"""The oldest set of operators in which reductions take their axes, and Split its number, as the graph gives them."""
IR_VERSION = 8
"""Of the file format: that of the release in which the set of operators was new, so that older runtimes read it."""
MOST_BYTES = (1 << 31) - (1 << 20)
"""Of parameters: a file of Protocol Buffers is smaller than 2 GiB."""
BATCH = "batch"


def onnx_bytes(model: TrainedModel) -> bytes:
    """What ``charlm export --to onnx`` writes: ``tokens`` [batch] and states in, ``log_probabilities`` and states out.

    Raises:
        UsageError: the package onnx is not installed.
        ModelError: the model is too large for the format, has labels, or a block's equations use what has no operator
            yet.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra, which only this command needs
        from onnx import helper, numpy_helper  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        raise UsageError("--to onnx needs the package onnx: pip install 'charlm[onnx]'") from error
    refuse_labels(model)
    config, step = model.network.config, graph_of(model.network)
    if model.network.parameters.values.nbytes > MOST_BYTES:
        raise ModelError("the model is too large for ONNX, whose files hold less than 2 GiB: export it --to pytorch")
    real, whole = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    states: dict[str, list[str | int | None]] = {name: [BATCH, size] for name, size in step.states.items()}
    graph = helper.make_graph(
        [_node(each) for each in step.operators],
        "step",
        [
            helper.make_tensor_value_info(TOKENS, whole, [BATCH]),
            *(helper.make_tensor_value_info(name, real, shape) for name, shape in states.items()),
        ],
        [
            helper.make_tensor_value_info(LOG_PROBABILITIES, real, [BATCH, config.vocabulary]),
            *(helper.make_tensor_value_info(next_name(name), real, shape) for name, shape in states.items()),
        ],
        [numpy_helper.from_array(value, name) for name, value in step.constants.items()],
    )
    made = helper.make_model(
        graph,
        producer_name="charlm",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(made, _metadata(model))
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString(deterministic=True))


def _node(operator: Operator) -> Any:
    from onnx import helper  # noqa: PLC0415 - an extra, which only this command needs

    attributes: dict[str, Any] = dict(operator.attributes)
    return helper.make_node(operator.kind, operator.inputs, operator.outputs, **attributes)


def _metadata(model: TrainedModel) -> dict[str, str]:
    about = {"model": model.network.config.to_json(), "text": model.text.to_json(), "record": model.record}
    return {
        "configuration": json.dumps(about, ensure_ascii=True, sort_keys=True),
        "vocabulary": token_list(model.tokenizer.vocabulary),
    }
