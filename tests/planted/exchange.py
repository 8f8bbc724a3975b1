"""Errors in what other programs read, and in what is read back."""

from planted.mutant import Mutant, cells

GRAPH, GATES, STATE_DICT = (f"exchange/{name}.py" for name in ("graph", "gates", "state_dict"))
ONNX, PYTORCH = ("exchange/test_exchange_onnx.py",), ("exchange/test_exchange_pytorch.py",)
EXPRESSIBLE = "lstm coupled-lstm gru-after rnn-tanh rnn-relu"
REFUSED = "gru-before peephole-lstm-standard peephole-lstm-previous norm-lstm norm-gru sru mingru"
WITHOUT_OPERATOR = "peephole-lstm-previous coupled-lstm norm-lstm norm-gru sru mingru"

MUTANTS = [
    Mutant(
        "graph: the state after a step is that before it",
        GRAPH,
        'graph.add("Identity", names[STATE_SYMBOLS[part]], outputs',
        'graph.add("Identity", names[f"{STATE_SYMBOLS[part]}_prev"], outputs',
        proves=(*cells(f"{EXPRESSIBLE} {REFUSED}", "export"), *cells(WITHOUT_OPERATOR, "onnx")),
    ),
    Mutant(
        "graph: minus is plus",
        GRAPH,
        'ast.Sub: "Sub"',
        'ast.Sub: "Add"',
        ONNX,
        "gru",
    ),
    Mutant(
        "graph: a text begins in the state that was given",
        GRAPH,
        'graph.value("Where", begins, initial, given)',
        'graph.value("Where", begins, given, given)',
        ONNX,
        "steps",
    ),
    Mutant(
        "graph: residual layers do not add their input",
        GRAPH,
        "        residual = network.stack.is_residual(k)\n",
        "        residual = False\n",
        ONNX,
        "everything",
    ),
    Mutant(
        "graph: several vectors are normalised without their mean taken away",
        GRAPH,
        'graph.value("Sub", stacked, graph.value("ReduceMean", stacked, "last_axis"))',
        'graph.value("Identity", stacked)',
        ONNX,
        "norm",
    ),
    Mutant(
        "graph: the zero vector at a start is the last token's",
        GRAPH,
        '    return graph.value("Where", begins, graph.constant(0.0), vectors)\n',
        "    return vectors\n",
        ONNX,
        "steps",
    ),
    Mutant(
        "pytorch: gates of the LSTM in another order",
        GATES,
        '"lstm": Conversion("LSTM", (Gate("i", "u"), Gate("f", "f"),',
        '"lstm": Conversion("LSTM", (Gate("f", "f"), Gate("i", "u"),',
        PYTORCH,
        "lstm",
    ),
    Mutant(
        "pytorch: the coupled gate forgets what it updates",
        GATES,
        'Gate("f", "u", -1)',
        'Gate("f", "u")',
        proves=cells("coupled-lstm", "pytorch"),
    ),
    Mutant(
        "pytorch: the GRU's z is not turned round",
        GATES,
        'Gate("z", "u", -1)',
        'Gate("z", "u")',
        PYTORCH,
        "gru",
    ),
    Mutant(
        "pytorch: what no module computes is not refused",
        GATES,
        "    if isinstance(found, str):\n",
        "    if isinstance(found, str) and config.residual:\n",
        proves=cells(REFUSED, "pytorch import"),
    ),
    Mutant(
        "pytorch: the bias of the head is not read back",
        STATE_DICT,
        "found |= {head_name(config, name): tensors[theirs] for",
        "found |= {head_name(config, name): (tensors[theirs].ndim - 1) * tensors[theirs] for",
        proves=cells(EXPRESSIBLE, "import"),
    ),
    Mutant(
        "pytorch: the second bias is not read back",
        GATES,
        "np.where(recurrent_bias == 0, bias, bias + recurrent_bias)",
        "bias",
        PYTORCH,
        "biases",
    ),
]
