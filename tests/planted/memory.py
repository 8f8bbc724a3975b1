"""Errors in the memory of a window: its steps, their columns, and the conversions between the parts of a model."""

from planted.mutant import COLUMNS, ENGINE, FORWARD_ONLY, WINDOWS, Mutant

COLUMNS_OF, STACK_OF, MODEL, ENCODER = "nn/columns.py", "nn/stack.py", "nn/language_model.py", "nn/encoder.py"

MUTANTS = [
    # ---- columns.py
    Mutant(
        "memory: columns stand lane by lane",
        COLUMNS_OF,
        "    _lanes(out.reshape(rows, time, batch, copy=False))[...] = _lanes(steps).T\n",
        "    out.reshape(rows, batch, time, copy=False)[...] = steps.transpose(1, 2, 0)\n",
        COLUMNS,
    ),
    Mutant(
        "memory: columns are read lane by lane",
        COLUMNS_OF,
        "    _lanes(out)[...] = _lanes(columns.reshape(rows, time, batch, copy=False)).T\n",
        "    out[...] = columns.reshape(rows, batch, time, copy=False).transpose(2, 0, 1)\n",
        COLUMNS,
    ),
    Mutant(
        "memory: the product of a narrow window takes columns for steps",
        COLUMNS_OF,
        "    write_columns(columns, steps)\n    write_steps(out, matrix @ columns)\n",
        "    write_columns(columns, steps)\n    out[...] = (matrix @ columns).reshape(out.shape)\n",
        COLUMNS,
    ),
    Mutant(
        "memory: the gates' columns take the room of the inputs'",
        COLUMNS_OF,
        "self.second: Array = np.empty((second, (time + 1) * batch), dtype)",
        "self.second: Array = (self.first if second <= first else np.empty((second, (time + 1) * batch), dtype))",
        ENGINE,
    ),
    Mutant(
        "memory: steps share theirs though there is a way back",
        COLUMNS_OF,
        "    if keep:\n",
        "    if False:\n",
        ENGINE,
        "gradients",
    ),
    Mutant(
        "memory: steps have each their own though there is no way back",
        COLUMNS_OF,
        "    if keep:\n",
        "    if True:\n",
        FORWARD_ONLY,
    ),
    Mutant(
        "memory: matrices are transposed up to the last whole strip",
        COLUMNS_OF,
        "    for begin in range(0, len(matrix), STRIP):\n        out[:, begin",
        "    for begin in range(0, len(matrix) - STRIP + 1, STRIP):\n        out[:, begin",
        COLUMNS,
    ),
    Mutant(
        "memory: matrices in columns are written up to the last whole strip",
        COLUMNS_OF,
        "    for begin in range(0, len(matrix), STRIP):\n        rows",
        "    for begin in range(0, len(matrix) - STRIP + 1, STRIP):\n        rows",
        COLUMNS,
    ),
    # ---- stack.py, language_model.py, encoder.py
    Mutant(
        "memory: gradients of vectors are those of the whole tape",
        STACK_OF,
        "block.weight_gradient(layer, T, window, d_operands[k])",
        "block.weight_gradient(layer, len(layer.d_gates), window, d_operands[k])",
        WINDOWS,
    ),
    Mutant(
        "memory: the layer below takes columns for steps",
        STACK_OF,
        "                    write_steps(d_output, d_input)\n",
        "                    d_output[...] = d_input.reshape(d_output.shape)\n",
        ENGINE,
    ),
    Mutant(
        "memory: the embedding takes the columns of one lane after another",
        STACK_OF,
        "add_gathered_gradient(d_table, d_input, inputs, tape.scales)",
        "add_gathered_gradient(d_table, d_input, inputs.T, tape.scales)",
        ENGINE,
    ),
    Mutant(
        "memory: the input's gradient takes the room of the inputs before their weights have theirs",
        STACK_OF,
        "            block.weight_gradient(layer, T, window, d_operands[k])\n",
        "            block.input_gradient(operands[k], layer, window, window.inputs[: self.input_rows[k]])\n"
        "            block.weight_gradient(layer, T, window, d_operands[k])\n",
        ENGINE,
    ),
    Mutant(
        "memory: the stack takes the columns of the head's gradient for steps",
        MODEL,
        "        write_steps(tape.d_outputs[:T], d_columns)\n",
        "        tape.d_outputs[:T] = d_columns.reshape(T, H, B)\n",
        ENGINE,
    ),
    Mutant(
        "memory: what is added to the head's gradient comes after its steps are written",
        MODEL,
        "        if upstream is not None:\n"
        "            d_activations += upstream[0]\n            d_after = upstream[1]\n"
        "        write_steps(tape.d_outputs[:T], d_columns)\n",
        "        write_steps(tape.d_outputs[:T], d_columns)\n        if upstream is not None:\n"
        "            d_activations += upstream[0]\n            d_after = upstream[1]\n",
        ENGINE,
    ),
    Mutant(
        "memory: the head takes steps for columns",
        MODEL,
        "        write_columns(columns, work.tape.activations[:T])\n",
        "        columns[...] = work.tape.activations[:T].reshape(-1, T * B)\n",
        ENGINE,
    ),
    Mutant(
        "memory: a single step's outputs are those of the tape's last",
        MODEL,
        "            return work.tape.activations[0], after\n",
        "            return work.tape.activations[-1], after\n",
        ("nn/test_token_operand.py",),
    ),
    Mutant(
        "memory: an encoder's weights have the gradient of the whole tape",
        ENCODER,
        "                block.weight_gradient(tapes[d], T, window, d_operand)\n",
        "                block.weight_gradient(tapes[d], len(tapes[d].x), window, d_operand)\n",
        ("nn/test_encoder.py",),
        "matter",
    ),
    Mutant(
        "memory: the gradient of an encoder's input is read lane by lane",
        ENCODER,
        "                write_steps(d_output, d_input)\n",
        "                d_output[...] = d_input.reshape(d_output.shape)\n",
        ("nn/test_encoder.py",),
    ),
]
