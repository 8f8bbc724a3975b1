"""Errors in what is done against learning by heart: dropout of every kind, DropConnect, penalties, smoothed targets."""

from planted.mutant import Mutant

TESTS = ("nn/test_regularization.py",)
SMOOTHING, LABELS = ("nn/test_label_smoothing.py",), ("nn/test_label_model.py",)
COMMANDS = ("cli/test_cli_regularization.py",)
DROPOUT, CONNECT, PENALTY = "nn/dropout.py", "nn/dropconnect.py", "nn/activation_penalty.py"
EMBEDDING, STACK, CROSS_ENTROPY = "nn/embedding.py", "nn/stack.py", "nn/heads/cross_entropy.py"

MUTANTS = [
    # ---- embeddings and inputs
    Mutant(
        "regularisation: embeddings of labels are dropped too",
        DROPOUT,
        "    draw_mask(scales[:tokens], how.embedding, how.generator)\n",
        "    draw_mask(scales, how.embedding, how.generator)\n",
        TESTS,
        "everywhere",
    ),
    Mutant(
        "regularisation: no embedding is dropped where rows are one-hot",
        EMBEDDING,
        "        rows *= scales[:, None]\n",
        "        pass\n",
        TESTS,
        "reference and one-hot",
    ),
    Mutant(
        "regularisation: a gathered embedding that was dropped has a gradient",
        EMBEDDING,
        "        gradients *= scales[ordered, None]\n",
        "        pass\n",
        TESTS,
        "dropped_token or reference",
    ),
    Mutant(
        "regularisation: numbers of a token are dropped and not the token",
        EMBEDDING,
        "        vectors *= scales[ids, None]\n",
        "        vectors *= np.resize(scales, vectors.shape)\n",
        TESTS,
        "everywhere",
    ),
    Mutant(
        "regularisation: the inputs' mask is not applied going back",
        STACK,
        "                    tape.inputs.backward(steps_of(d_input, T))\n",
        "",
        TESTS,
        "inputs",
    ),
    Mutant(
        "regularisation: a run with dropped inputs trains on one-hot rows",
        "training/language.py",
        "network.gathering() if config.dropout_input else network\n",
        "network\n",
        COMMANDS,
        "input",
    ),
    # ---- variational masks
    Mutant(
        "regularisation: a variational mask is another one at every step",
        DROPOUT,
        "self.memory[: 1 if how.variational else len(values)]",
        "self.memory[: len(values)]",
        TESTS,
        "same_at_every_step",
    ),
    Mutant(
        "regularisation: plain masks are the same at every step",
        DROPOUT,
        "self.memory[: 1 if how.variational else len(values)]",
        "self.memory[:1]",
        TESTS,
        "same_at_every_step",
    ),
    Mutant(
        "regularisation: the last layer is dropped at the rate of the others",
        STACK,
        "how.outputs if top else how.layers, how)",
        "how.layers, how)",
        TESTS,
        "own_rate",
    ),
    Mutant(
        "regularisation: an encoder's last layer is dropped at the rate of the others",
        "nn/encoder.py",
        "how.outputs if top else how.layers, how)",
        "how.layers, how)",
        ("nn/test_encoder.py",),
        "own_rate",
    ),
    # ---- DropConnect
    Mutant(
        "regularisation: dropped connections have gradients",
        CONNECT,
        "            gradients[name][...] *= mask\n",
        "            pass\n",
        TESTS,
        "connections",
    ),
    Mutant(
        "regularisation: connections are dropped going forward alone",
        STACK,
        "                block.pack(tape.connections[k].forward(block, views, how), operand, table, back=tape.keep)\n",
        "                block.pack(tape.connections[k].forward(block, views, how), operand, table, back=tape.keep)\n"
        "                whole = block.new_operand(self.input_rows[k], operand.input_back.dtype)\n"
        "                block.pack(views, whole, table)\n"
        "                operand.recurrent_back[...] = whole.recurrent_back\n",
        TESTS,
        "recurrent",
    ),
    Mutant(
        "regularisation: connections that were dropped once stay so",
        CONNECT,
        "            self.masks.clear()\n            return views\n",
        "            return {**views, **{name: views[name] * mask for name, mask in self.masks.items()}}\n",
        TESTS,
        "scoring",
    ),
    Mutant(
        "regularisation: the same connections are dropped in every layer",
        STACK,
        "tape.connections[k].forward(",
        "tape.connections[0].forward(",
        TESTS,
        "connections",
    ),
    Mutant(
        "regularisation: a run packs all connections",
        "training/language.py",
        "self._training.pack(self._memory, how)",
        "self._training.pack(self._memory)",
        COMMANDS,
        "recurrent",
    ),
    Mutant(
        "regularisation: the encoder's dropped connections have gradients",
        "nn/encoder.py",
        "                work.connections[k][d].backward(below(gradients, name))\n",
        "",
        LABELS,
        "masks",
    ),
    Mutant(
        "regularisation: the encoder's inputs keep their whole gradient",
        "nn/encoder.py",
        "        room.inputs.backward(steps_of(d_input, T))\n",
        "",
        LABELS,
        "masks",
    ),
    Mutant(
        "regularisation: characters are dropped as tokens are",
        "nn/characters.py",
        "replace(how, embedding=0, inputs=0)",
        "replace(how, inputs=0)",
        LABELS,
        "masks",
    ),
    # ---- penalties
    Mutant(
        "regularisation: the penalty on activations is of those before dropout",
        PENALTY,
        "a * size if mask is None else a * (mask * mask * size)",
        "a * size",
        TESTS,
        "activation",
    ),
    Mutant(
        "regularisation: the penalty on activations is a sum",
        PENALTY,
        "a.dtype.type(2 * self.how.activation / a.size)",
        "a.dtype.type(2 * self.how.activation)",
        TESTS,
        "activation",
    ),
    Mutant(
        "regularisation: the step to a text from the one before is penalised",
        PENALTY,
        "            goes_on = ~starts[1:, None]\n",
        "            goes_on = np.ones_like(starts[1:, None])\n",
        TESTS,
        "slowness",
    ),
    Mutant(
        "regularisation: slowness pulls at the later of two steps alone",
        PENALTY,
        "            d_activations[:-1] -= change\n",
        "",
        TESTS,
        "slowness",
    ),
    Mutant(
        "regularisation: slowness is of what dropout left",
        STACK,
        "                tape.penalty.forward(output, how)\n            tape.dropout[k].forward("
        "output, how.outputs if top else how.layers, how)\n",
        "                pass\n            tape.dropout[k].forward("
        "output, how.outputs if top else how.layers, how)\n            tape.penalty.forward(output, how)\n",
        TESTS,
        "slowness",
    ),
    Mutant(
        "regularisation: a penalty of an earlier window is applied going back",
        PENALTY,
        "        self.how = how\n",
        "        self.how = how if how.activation else self.how\n",
        TESTS,
        "scoring",
    ),
    # ---- smoothed targets
    Mutant(
        "regularisation: smoothed targets sum to more than one",
        CROSS_ENTROPY,
        "((1 - smoothing) * shares[part])",
        "shares[part]",
        SMOOTHING,
    ),
    Mutant(
        "regularisation: the target has no part of what all classes get",
        CROSS_ENTROPY,
        "        of_target = ((1 - smoothing) * shares[part]).astype(e.dtype)\n",
        "        of_target = ((1 - smoothing - smoothing / len(layer.W)) * shares[part]).astype(e.dtype)\n",
        SMOOTHING,
    ),
    Mutant(
        "regularisation: what is not counted is smoothed",
        CROSS_ENTROPY,
        "np.where(known, shares[part] * (smoothing / len(layer.W)), 0)",
        "(shares[part] * (smoothing / len(layer.W)))",
        SMOOTHING,
    ),
    Mutant(
        "regularisation: a model's targets are not smoothed",
        "nn/language_model.py",
        "work.scratch, how.smoothing\n",
        "work.scratch\n",
        TESTS,
        "smoothing",
    ),
    # ---- options
    Mutant(
        "regularisation: no dropout of the last layer's outputs is that of all",
        "nn/regularization.py",
        "config.dropout if config.dropout_output is None else config.dropout_output",
        "config.dropout_output or config.dropout",
        TESTS,
        "names_every_kind",
    ),
    Mutant(
        "regularisation: what dropped connections need is not asked of a model to start from",
        "training/choices.py",
        "    check_regularization(train, model.cell, model.options, head=model.softmax)\n",
        "",
        COMMANDS,
        "start_from",
    ),
]
