"""Errors in the bidirectional encoder."""

from planted.mutant import Mutant

ENCODER = "nn/encoder.py"
TESTS = ("nn/test_encoder.py",)

MUTANTS = [
    Mutant(
        "encoder: the backward direction reads forward",
        ENCODER,
        "direction.tape.x[:T] = texts.pad_in_front(x, reverse=bool(d))",
        "direction.tape.x[:T] = texts.pad_in_front(x, reverse=False)",
        TESTS,
    ),
    Mutant(
        "encoder: what the backward direction puts out is not turned round",
        ENCODER,
        "outputs.append(texts.pad_behind(output.swapaxes(0, 1), reverse=bool(d)))",
        "outputs.append(texts.pad_behind(output.swapaxes(0, 1), reverse=False))",
        TESTS,
    ),
    Mutant(
        "encoder: padding leaks into the outputs",
        ENCODER,
        "        return np.where(self.inside, x[:, self._unshifted, self._lanes], 0)\n",
        "        return x[:, self._unshifted, self._lanes]\n",
        TESTS,
        "padding",
    ),
    Mutant(
        "encoder: padding leaks into the outputs of the backward direction",
        ENCODER,
        "            return np.where(self.inside, x[:, ::-1], 0)\n",
        "            return x[:, ::-1]\n",
        TESTS,
        "padding",
    ),
    Mutant(
        "encoder: padding leaks into the weights' gradients",
        ENCODER,
        "            return np.where(self.inside[::-1], x[:, ::-1], 0)\n",
        "            return x[:, ::-1]\n",
        TESTS,
        "padding",
    ),
    Mutant(
        "encoder: a text begins where its padding does",
        ENCODER,
        "        first = time - lengths\n",
        "        first = 0 * lengths\n",
        TESTS,
    ),
    Mutant(
        "encoder: final states of the directions swapped",
        ENCODER,
        "            after.append((states_after[0], states_after[1]))\n",
        "            after.append((states_after[1], states_after[0]))\n",
        TESTS,
    ),
    Mutant(
        "encoder: gradients of the directions' initial states swapped",
        ENCODER,
        "            before.append((d_initial[0], d_initial[1]))\n",
        "            before.append((d_initial[1], d_initial[0]))\n",
        TESTS,
    ),
    Mutant(
        "encoder: the upper layers' gradients of initial states come first",
        ENCODER,
        "        return d_outputs, tuple(reversed(before))\n",
        "        return d_outputs, tuple(before)\n",
        TESTS,
    ),
    Mutant(
        "encoder: the input has the gradient of the backward direction alone",
        ENCODER,
        "                d_x += texts.pad_behind(part, reverse=bool(d))\n",
        "                d_x[...] = texts.pad_behind(part, reverse=bool(d))\n",
        TESTS,
    ),
    Mutant(
        "encoder: upstream gradients reach the backward direction unturned",
        ENCODER,
        "d_output[:T] = texts.pad_in_front(d_activation, reverse=bool(d))",
        "d_output[:T] = texts.pad_in_front(d_activation, reverse=False)",
        TESTS,
    ),
    Mutant(
        "encoder: the gradient of the final states is ignored",
        ENCODER,
        "block.backward(operand, tape, d_output[:T], d_state, starts)",
        "block.backward(operand, tape, d_output[:T], _zeros_like(d_state), starts)",
        TESTS,
    ),
    Mutant(
        "encoder: a residual layer does not add its input",
        ENCODER,
        "                x += below_it\n",
        "                pass\n",
        TESTS,
        "True or padding",
    ),
    Mutant(
        "encoder: a residual connection has no gradient",
        ENCODER,
        "            d_outputs = d_x + d_residual if self._residual(k) else d_x\n",
        "            d_outputs = d_x\n",
        TESTS,
        "True or slopes",
    ),
    Mutant(
        "encoder: the dropout mask is not applied going back",
        ENCODER,
        "            d_activations = d_outputs if mask is None else d_outputs * mask\n",
        "            d_activations = d_outputs\n",
        TESTS,
        "dropout",
    ),
]
