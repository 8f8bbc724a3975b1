"""Errors in the encoder."""

from proof import KINDS

from planted.mutant import Mutant, cells

ENCODER = "nn/encoder.py"
TESTS = ("nn/test_encoder.py",)

MUTANTS = [
    Mutant(
        "encoder: the backward direction reads forward",
        ENCODER,
        "                    tapes[d].x[:T] = each.turned(x)\n",
        "                    tapes[d].x[:T] = x\n",
        TESTS,
        proves=cells(" ".join(KINDS), "encoder"),
    ),
    Mutant(
        "encoder: what the backward direction puts out is not turned round",
        ENCODER,
        "                out = each.turned(output[:, d * H : (d + 1) * H])\n",
        "                out = output[:, d * H : (d + 1) * H]\n",
        TESTS,
    ),
    Mutant(
        "encoder: the directions' outputs change places",
        ENCODER,
        "                out = each.turned(output[:, d * H : (d + 1) * H])\n",
        "                out = each.turned(np.split(output, len(layer), axis=1)[-1 - d])\n",
        TESTS,
    ),
    Mutant(
        "encoder: one direction is two",
        ENCODER,
        "        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]\n",
        "        return DIRECTIONS\n",
        TESTS,
    ),
    Mutant(
        "encoder: the backward direction starts where texts begin",
        ENCODER,
        "        flags = lanes.ends[::-1] if layer.reverse else lanes.begins\n",
        "        flags = lanes.begins[::-1] if layer.reverse else lanes.begins\n",
        TESTS,
    ),
    Mutant(
        "encoder: where texts end is not turned round",
        ENCODER,
        "        flags = lanes.ends[::-1] if layer.reverse else lanes.begins\n",
        "        flags = lanes.ends if layer.reverse else lanes.begins\n",
        TESTS,
    ),
    Mutant(
        "encoder: a text goes on from the one before it in the lane",
        ENCODER,
        "        return Starts(start_lanes(flags), ",
        "        return Starts({}, ",
        TESTS,
        "see_one_another",
    ),
    Mutant(
        "encoder: the input has the gradient of the backward direction alone",
        ENCODER,
        "d_input.reshape(shape, copy=False)[...] += part",
        "d_input.reshape(shape, copy=False)[...] = part",
        TESTS,
    ),
    Mutant(
        "encoder: the backward direction's gradient of the input is not turned round",
        ENCODER,
        "part.reshape(shape, copy=False)[:, ::-1]",
        "part.reshape(shape, copy=False)",
        TESTS,
    ),
    Mutant(
        "encoder: upstream gradients reach the backward direction unturned",
        ENCODER,
        "                d_out = each.turned(d_output[:, d * H : (d + 1) * H])\n",
        "                d_out = d_output[:, d * H : (d + 1) * H]\n",
        TESTS,
    ),
    Mutant(
        "encoder: a residual layer does not add its input",
        ENCODER,
        "                output += x\n",
        "                pass\n",
        TESTS,
        "True",
    ),
    Mutant(
        "encoder: a residual connection has no gradient",
        ENCODER,
        "                    d_output += room.d_residual[:T]\n",
        "                    pass\n",
        TESTS,
        "True or slopes",
    ),
    Mutant(
        "encoder: the dropout mask is not applied going back",
        ENCODER,
        "            room.dropout[k].backward(d_output)\n",
        "",
        TESTS,
        "dropout",
    ),
    Mutant(
        "encoder: the first layer alone has dropout",
        ENCODER,
        "how.outputs if top else how.layers, how)",
        "0 if top else how.layers, how)",
        TESTS,
        "dropout",
    ),
    Mutant(
        "encoder: room for one number of lanes serves for another",
        ENCODER,
        "        fits: bool = time <= most and batch == lanes\n",
        "        fits: bool = time <= most and batch <= lanes\n",
        TESTS,
        "room",
    ),
]
