"""Errors in what trains language models, scores with them, and draws from them."""

from planted.mutant import Mutant

CONTINUATIONS = ("test_continuations.py",)
ADAPTIVE = "nn/heads/adaptive.py"
CLUSTERS = ("nn/test_adaptive_head.py",)
TIED = ("nn/test_tied.py",)

MUTANTS = [
    # ---- training
    Mutant(
        "clipping: scaled by limit / norm squared",
        "training/clipping.py",
        "limit / norm)",
        "limit / norm**2)",
        ("nn/test_clipping.py",),
    ),
    Mutant(
        "clipping: small gradients are scaled up",
        "training/clipping.py",
        "math.isfinite(norm) and norm > limit",
        "math.isfinite(norm) and norm > 0",
        ("nn/test_clipping.py",),
    ),
    Mutant(
        "adamw: first moment's correction missing",
        "training/optimizers.py",
        "(1 - self.beta1) / (1 - self.beta1**self.updates)",
        "1 - self.beta1",
        ("nn/test_optimizers.py",),
    ),
    Mutant(
        "optimisers: the running square's correction missing",
        "training/optimizers.py",
        "return (1 - decay) / (1 - decay**updates)",
        "return 1 - decay",
        ("nn/test_optimizers.py",),
    ),
    Mutant(
        "optimisers: epsilon is not scaled as the root is",
        "training/optimizers.py",
        "kind(epsilon / root)",
        "kind(epsilon)",
        ("nn/test_optimizers.py",),
    ),
    Mutant(
        "optimisers: biases decay with the last block of weights",
        "training/optimizers.py",
        "values[: decayed - begin] *=",
        "values *=",
        ("nn/test_optimizers.py",),
    ),
    Mutant(
        "schedules: cosine of half a turn too little",
        "training/schedules.py",
        "math.cos(math.pi * rest)",
        "math.cos(math.pi * rest / 2)",
        ("nn/test_schedules.py",),
    ),
    Mutant(
        "batching: a saved place shares memory with the lanes",
        "training/batching.py",
        '(row.copy() for row in place["lanes"][:3])',
        '(row for row in place["lanes"][:3])',
        ("nn/test_batching.py",),
    ),
    Mutant(
        "batching: cuts one token after the line start",
        "training/batching.py",
        "return position + int(found[0]) if found.size",
        "return position + int(found[0]) + 1 if found.size",
        ("nn/test_batching.py",),
    ),
    Mutant(
        "batching: restarts where a line ends, not where one begins",
        "training/batching.py",
        "before = self.ids[np.maximum(window.positions - 1, 0)]",
        "before = self.ids[np.maximum(window.positions, 0)]",
        ("nn/test_batching.py",),
    ),
    Mutant(
        "batching: every epoch is the first",
        "training/batching.py",
        "np.random.SeedSequence([self.seed, 1, number])",
        "np.random.SeedSequence([self.seed, 1, 0])",
        ("nn/test_batching.py",),
    ),
    # ---- lanes.py, scoring.py, sampling.py
    Mutant(
        "lanes: the target is its own input",
        "lanes.py",
        "taken = ids[np.maximum(self.positions - 1, 0)]",
        "taken = ids[np.maximum(self.positions, 0)]",
        ("nn/test_lanes.py",),
    ),
    Mutant(
        "lanes: the target is one token late",
        "lanes.py",
        "taken = ids[np.maximum(self.positions, 0)]",
        "taken = ids[np.minimum(self.positions + 1, ids.size - 1)]",
        ("nn/test_lanes.py",),
    ),
    Mutant(
        "lanes: warming tokens are counted",
        "lanes.py",
        "positions[t : t + taken] >= self.counted[lane]",
        "positions[t : t + taken] >= 0",
        ("nn/test_lanes.py",),
    ),
    Mutant(
        "lanes: a piece starts again in every window",
        "lanes.py",
        "            self.fresh[lane] = False\n",
        "",
        ("nn/test_lanes.py",),
    ),
    Mutant(
        "scoring: the state is not carried from window to window",
        "scoring.py",
        "logprobs, states = model.log_probabilities(",
        "logprobs, _ = model.log_probabilities(",
        ("nn/test_scoring.py",),
    ),
    Mutant(
        "scoring: ranks begin at 0",
        "scoring.py",
        "ranks[where] = 1 + np.count_nonzero",
        "ranks[where] = np.count_nonzero",
        ("nn/test_scoring.py",),
    ),
    Mutant(
        "scoring: lanes of a stream are not warmed up",
        "scoring.py",
        "yield Piece(max(0, begin - WARM), end, begin)",
        "yield Piece(begin, end, begin)",
        ("nn/test_scoring.py",),
    ),
    Mutant(
        "sampling: multiplied by the temperature",
        "sampling.py",
        "else 1 / config.temperature\n",
        "else config.temperature\n",
        ("nn/test_sampling.py",),
    ),
    Mutant(
        "sampling: the prompt's last token is read twice",
        "sampling.py",
        "        inputs = fed[begin : min(begin + window, len(fed) - 1)]\n",
        "        inputs = fed[begin : begin + window]\n",
        ("nn/test_sampling.py",),
    ),
    # ---- continuations.py
    Mutant(
        "continuations: what ends a word is not counted",
        "continuations.py",
        "            ends = np.exp(np.delete(logprobs, self._letters)).sum()\n",
        "            ends = 1.0\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: a complete one does not wait for likelier beginnings",
        "continuations.py",
        " and not (chosen and self._frontier[0].complete):\n",
        ":\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: a word goes on after any character",
        "continuations.py",
        "        open_kinds = (_LETTER,) if node.ids else (_LETTER, _SPACE)\n",
        "        open_kinds = (_LETTER, _SPACE)\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: states of another lane",
        "continuations.py",
        "            mine = tuple(tuple(array[:, lane : lane + 1] for array in layer) for layer in after)\n",
        "            mine = tuple(tuple(array[:, :1] for array in layer) for layer in after)\n",
        CONTINUATIONS,
    ),
    # ---- language_model.py, starting from a model
    Mutant(
        "language model: rows of the head that are added stay as drawn",
        "nn/language_model.py",
        "                view[len(theirs) :] = theirs[like]\n",
        "                pass\n",
        ("cli/test_cli_fine_tuning.py",),
    ),
    # ---- heads/adaptive.py
    Mutant(
        "adaptive: activations have no gradient from the clusters",
        ADAPTIVE,
        "            d_columns[:, members] += W_p.T @ d_projected\n",
        "            pass\n",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: a projection's gradient without the share of its targets",
        ADAPTIVE,
        "np.matmul(d_projected, chosen.T, out=",
        "np.matmul(projected, chosen.T, out=",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: the loss of clusters is not counted",
        ADAPTIVE,
        "            total += cross_entropy(",
        "            total + cross_entropy(",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: every cluster is the head's first",
        ADAPTIVE,
        "found[_members(tail, targets)] = tail.head_class",
        "found[_members(tail, targets)] = self.frequent",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: scores lack the probability inside the cluster",
        ADAPTIVE,
        "            found[members] += log_likelihoods(",
        "            found[members] + log_likelihoods(",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: logits lack the probability of the cluster",
        ADAPTIVE,
        "np.add(inside, head[tail.head_class], out=",
        "np.add(inside, 0, out=",
        CLUSTERS,
    ),
    Mutant(
        "adaptive: tokens are added behind the rare ones",
        "training/choices.py",
        'if options.get("extend_vocab") and model.network.config.softmax == "adaptive":',
        "if False:",
        ("cli/test_cli_adaptive.py",),
    ),
    # ---- language_model.py, stack.py: one matrix for embedding and head
    Mutant(
        "tied: the gradient of only one of the two uses",
        "nn/stack.py",
        "if not self.config.tied:",
        "if True:",
        TIED,
    ),
    Mutant(
        "tied: gradients of the window before are added to",
        "nn/heads/cross_entropy.py",
        "    if first:\n        np.matmul(d_logits, columns.T, out=gradients.W[part])\n    else:\n",
        "    if True:\n",
        TIED,
    ),
    Mutant(
        "tied: embeddings that are added stay as drawn",
        "nn/language_model.py",
        "            if name in of_head and",
        "            if name.startswith(HEAD) and",
        TIED,
    ),
    Mutant(
        "tied: rows begin as embeddings do",
        "nn/heads/softmax.py",
        'uniform(views["W_y"], math.sqrt(3 / self.hidden), generator)',
        "pass",
        TIED,
    ),
]
