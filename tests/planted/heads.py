"""Errors in label heads and what stands below them: lanes of whole texts, pooling, spellings, and transfer."""

from planted.mutant import Mutant

HEADS, POOLING, LANES = "nn/heads/labels.py", "nn/pooling.py", "nn/text_lanes.py"
MODEL, CHARACTERS, READER, TRANSFER = "nn/label_model.py", "nn/characters.py", "nn/reader.py", "nn/transfer.py"
OF_HEADS, OF_POOLING, OF_LANES = ("nn/test_label_heads.py",), ("nn/test_pooling.py",), ("nn/test_text_lanes.py",)
OF_MODELS, OF_TRANSFER = ("nn/test_label_model.py",), ("nn/test_transfer.py",)
SOFTMAXES = tuple(f"{where}-softmax" for where in ("token", "last", "mean", "max"))
SIGMOIDS = tuple(f"{where}-sigmoid" for where in ("token", "last", "mean", "max"))


def rows(heads: tuple[str, ...], *columns: str) -> tuple[str, ...]:
    """Cells of the table of label heads."""
    return tuple(f"{head}/{column}" for head in heads for column in columns)


MUTANTS = [
    # ---- labels.py
    Mutant(
        "labels: the sigmoid's loss lacks its second term",
        HEADS,
        "        against = _against(self._logits(views, columns), targets)\n",
        "        against = _against(self._logits(views, columns), targets)\n"
        "        against[np.arange(self.labels)[:, None] != targets] = -1e3\n",
        OF_HEADS,
        "all_ones",
        proves=rows(SIGMOIDS, "reference", "gradcheck", "pytorch"),
    ),
    Mutant(
        "labels: the gradient of the target has the others' sign",
        HEADS,
        "_against((np.tanh(against / 2) + 1) / 2 * (share * weights).astype(columns.dtype), targets)",
        "(np.tanh(against / 2) + 1) / 2 * (share * weights).astype(columns.dtype)",
        OF_HEADS,
    ),
    Mutant(
        "labels: a sigmoid's log-probability is that of the label's absence",
        HEADS,
        "        return -_softplus(-self._logits(views, columns))\n",
        "        return -_softplus(self._logits(views, columns))\n",
        OF_HEADS,
    ),
    Mutant(
        "labels: uncounted targets count for a sigmoid's loss",
        HEADS,
        "        return np.where(targets >= 0, found.sum(axis=0), 0)\n",
        "        return found.sum(axis=0)\n",
        OF_HEADS,
    ),
    Mutant(
        "labels: uncounted targets count in the mean",
        HEADS,
        "        counts = np.asarray(targets >= 0, np.float64)\n",
        "        counts = np.ones(targets.size)\n",
        OF_HEADS,
    ),
    Mutant(
        "labels: the mean is of the targets and not of their weights",
        HEADS,
        "        total = float(counts.sum())\n",
        "        total = float(np.count_nonzero(targets >= 0))\n",
        OF_HEADS,
        "weight",
    ),
    Mutant(
        "labels: weights act on the gradient alone",
        "nn/heads/cross_entropy.py",
        "losses.sum() if weights is None else losses @ weights[part][known]",
        "losses.sum()",
        OF_HEADS,
    ),
    Mutant(
        "labels: a softmax's target has the gradient of weight 1",
        "nn/heads/cross_entropy.py",
        "-= of_target[each.column]",
        "-= e.dtype.type(share)",
        OF_HEADS,
        proves=rows(SOFTMAXES, "gradcheck", "reference", "pytorch"),
    ),
    Mutant(
        "labels: softplus overflows",
        HEADS,
        "    return np.logaddexp(0, z, dtype=np.float64)\n",
        "    return np.log(1 + np.exp(z.astype(np.float64)))\n",
        OF_HEADS,
    ),
    # ---- pooling.py
    Mutant(
        "pooling: the backward direction is read at the last token",
        POOLING,
        "            found.append((slice(H, 2 * H), *np.divmod(lanes.order[lanes.firsts], outputs.shape[2])))\n",
        "            found.append((slice(H, 2 * H), *np.divmod(last, outputs.shape[2])))\n",
        OF_POOLING,
    ),
    Mutant(
        "pooling: the mean is the sum",
        POOLING,
        "            return Pooled((sums / _column(lanes.lengths, sums)).T, np.empty(0, np.int64))\n",
        "            return Pooled(sums.T, np.empty(0, np.int64))\n",
        OF_POOLING,
    ),
    Mutant(
        "pooling: the mean's gradient is the sum's",
        POOLING,
        "d_columns.T / _column(lanes.lengths, d_columns)",
        "d_columns.T",
        OF_POOLING,
    ),
    Mutant(
        "pooling: the last of equal numbers is the largest",
        POOLING,
        "lanes.order[np.minimum.reduceat(numbers, lanes.firsts, axis=0)]",
        "lanes.order[np.maximum.reduceat(np.where(numbers < len(tokens), numbers, 0), lanes.firsts, axis=0)]",
        OF_POOLING,
    ),
    Mutant(
        "pooling: gradients of the batch before are left",
        POOLING,
        "        d_outputs[...] = 0\n",
        "        pass\n",
        OF_POOLING,
    ),
    # ---- text_lanes.py
    Mutant(
        "lanes: the shortest texts first",
        LANES,
        "key=lambda number: -lengths[number]",
        "key=lambda number: lengths[number]",
        OF_LANES,
    ),
    Mutant(
        "lanes: as many lanes as there may be",
        LANES,
        "    wanted = max(1, min(batch, -(-total // longest)))\n",
        "    wanted = batch\n",
        OF_LANES,
    ),
    Mutant(
        "lanes: a text ends one token too early",
        LANES,
        "    ends[places[:, 0] + lengths - 1, places[:, 1]] = True\n",
        "    ends[np.maximum(places[:, 0] + np.array(lengths) - 2, 0), places[:, 1]] = True\n",
        OF_LANES,
    ),
    Mutant(
        "lanes: tokens are taken out lane by lane",
        LANES,
        '        order = np.argsort(flat, kind="stable")\n',
        "        order = np.argsort(flat >= 0)\n",
        OF_LANES,
    ),
    # ---- reader.py, characters.py, label_model.py
    Mutant(
        "labels: the embedding has no gradient",
        READER,
        '        add_gathered_gradient(gradients["embedding"], d_input[: self.embedding], lanes.ids, work.scales)\n',
        "        pass\n",
        OF_MODELS,
        "reference",
    ),
    Mutant(
        "labels: the embedding keeps the gradient of the batch before",
        READER,
        '        gradients["embedding"][...] = 0\n',
        "        pass\n",
        OF_MODELS,
        "reference",
    ),
    Mutant(
        "labels: spellings have no gradient",
        CHARACTERS,
        "        self.reader.backward(views, gradients, work.reader, forms.lanes)\n",
        "        pass\n",
        OF_MODELS,
        "character_network",
    ),
    Mutant(
        "labels: a form that occurs twice has the gradient of one",
        CHARACTERS,
        "        add_gathered_gradient(d_forms, d_columns, forms.place)\n",
        "        d_forms[forms.place.reshape(-1)] = d_columns.T\n",
        OF_MODELS,
        "character_network",
    ),
    Mutant(
        "labels: spellings have the gradient of the embedding",
        MODEL,
        "            d_spelling = d_input[self.config.embedding :]\n",
        "            d_spelling = d_input[: len(d_input) - self.config.embedding]\n",
        OF_MODELS,
        "character_network",
    ),
    Mutant(
        "labels: spellings have no dropout",
        MODEL,
        "work.characters, lanes.forms, how)",
        "work.characters, lanes.forms)",
        OF_MODELS,
        "dropout",
    ),
    Mutant(
        "labels: the encoder takes the columns of the head's gradient for steps",
        MODEL,
        "            write_steps(d_outputs, d_columns)\n",
        "            d_outputs[...] = d_columns.reshape(d_outputs.shape)\n",
        OF_MODELS,
        "equals_the_reference",
    ),
    Mutant(
        "labels: what a token did has the sign of the loss",
        MODEL,
        "np.where(lanes.ids >= 0, -product",
        "np.where(lanes.ids >= 0, product",
        OF_MODELS,
        "what_a_token_did",
    ),
    Mutant(
        "labels: what a token did is divided by the targets",
        MODEL,
        "-product * np.count_nonzero(targets >= 0)",
        "-product",
        OF_MODELS,
        "what_a_token_did",
    ),
    # ---- transfer.py
    Mutant(
        "transfer: weights on the backward direction stay as they were drawn",
        TRANSFER,
        "                view[:, value.shape[1] :] *= SMALL\n",
        "                pass\n",
        OF_TRANSFER,
    ),
    Mutant(
        "transfer: what is taken over goes to the backward direction",
        TRANSFER,
        'f"layers.{k}.{DIRECTIONS[0]}."',
        'f"layers.{k}.{DIRECTIONS[-1]}."',
        OF_TRANSFER,
    ),
    Mutant(
        "transfer: options may differ",
        TRANSFER,
        "for name, value in options.items() if value != mine[name]]",
        "for name, value in options.items() if name not in mine]",
        OF_TRANSFER,
    ),
]
