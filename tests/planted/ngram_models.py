"""Errors in counting models: discounts, interpolation, backoffs, and their files."""

from planted.mutant import Mutant

SMOOTHING, ESTIMATING, PROBABILITIES = "ngram/smoothing.py", "ngram/estimating.py", "ngram/probabilities.py"
MODEL, STORING, STREAMING = "ngram/model.py", "ngram/storing.py", "streaming.py"
ARPA, SPELLING = "ngram/arpa.py", "ngram/spelling.py"
EQUATIONS = ("ngram/test_ngram.py",)
BOUNDED = ("ngram/test_ngram_bounded.py",)
FILES = ("ngram/test_ngram_file.py",)
STREAMED = ("ngram/test_streaming.py",)
COMMAND = ("cli/test_cli_ngram.py",)

MUTANTS = [
    # ---- smoothing.py
    Mutant(
        "n-grams: Y counts those that came twice once",
        SMOOTHING,
        "        y = t[0] / (t[0] + 2 * t[1])\n",
        "        y = t[0] / (t[0] + t[1])\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: discounts have k for k + 1",
        SMOOTHING,
        "k - (k + 1) * y * t[k] / t[k - 1]",
        "k - k * y * t[k] / t[k - 1]",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: the third discount is of those that came three times alone",
        SMOOTHING,
        "[np.minimum(adjusted, _TOLD_APART)]",
        "[np.where(adjusted > _TOLD_APART, 0, adjusted)]",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: those that came more often count as four times",
        SMOOTHING,
        "np.minimum(adjusted, _TOLD_APART + 2)",
        "np.minimum(adjusted, _TOLD_APART + 1)",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: discounts above their counts are taken",
        SMOOTHING,
        "        if all(0 < value <= k for k, value in enumerate(values, 1)):\n",
        "        if values:\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: what is taken from counts is not given to the shorter context",
        SMOOTHING,
        "    return own + share[contexts] * below, share\n",
        "    return own, share\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: a context that nothing follows leaves nothing to the shorter one",
        SMOOTHING,
        "out=np.ones(number)",
        "out=np.full(number, 0.5)",
        EQUATIONS,
    ),
    # ---- estimating.py
    Mutant(
        "n-grams: the uniform distribution is over <s> too",
        ESTIMATING,
        "1 / (packing.words - 1)",
        "1 / packing.words",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: <s> has a probability",
        ESTIMATING,
        "    each[-1] = 1  # of <s>\n",
        "",
        FILES,
    ),
    Mutant(
        "n-grams: probabilities are sorted back by the trie",
        ESTIMATING,
        "found[:, width + 2], each.view",
        "np.arange(len(each), dtype=np.uint64), each.view",
        BOUNDED,
    ),
    Mutant(
        "n-grams: contexts are numbered from the start of a block",
        ESTIMATING,
        "(here + passed) * packing.words",
        "here * packing.words",
        BOUNDED,
    ),
    Mutant(
        "n-grams: places are numbered from the start of a block",
        ESTIMATING,
        "        number += len(rows)\n",
        "",
        BOUNDED,
    ),
    Mutant(
        "n-grams: counts of counts are those of the last block",
        ESTIMATING,
        "        counts += counts_of_counts(",
        "        counts = counts_of_counts(",
        BOUNDED,
        "discounts",
    ),
    Mutant(
        "n-grams: a context goes by before all that follow it are there",
        ESTIMATING,
        "                whole = int(np.searchsorted(begins, begins[-1]))\n",
        "                whole = len(held)\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: backing off costs nothing",
        ESTIMATING,
        "        level.backoffs.append(np.log(share))\n",
        "        level.backoffs.append(np.zeros(len(share)))\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: probabilities of the order below are those of the trie's order",
        ESTIMATING,
        "        level.below.append(rows[:, 1].view(np.float64))\n",
        "        level.below.append(rows[::-1, 1].copy().view(np.float64))\n",
        EQUATIONS,
    ),
    # ---- probabilities.py
    Mutant(
        "n-grams: a distribution forgets the backoffs",
        PROBABILITIES,
        "        found += smoothed.log_backoffs[order - 2][number]\n",
        "",
        EQUATIONS,
    ),
    # ---- model.py, storing.py
    Mutant(
        "n-grams: lines of a list follow one another across blocks",
        MODEL,
        "        begins = bool(ends[-1])\n",
        "        begins = False\n",
        FILES,
    ),
    Mutant(
        "n-grams: the file has the followers of the first block of keys",
        STORING,
        "                counts += np.bincount(",
        "                counts = np.bincount(",
        FILES,
    ),
    Mutant(
        "n-grams: the file's words are those of the keys",
        STORING,
        "lambda keys: keys % trie.words",
        "lambda keys: keys // trie.words",
        COMMAND,
    ),
    Mutant(
        "n-grams: the digest is that of an empty file",
        STREAMING,
        "                digest.update(block)\n",
        "",
        STREAMED,
    ),
    Mutant(
        "n-grams: the tensors of a file stand by their names alone",
        STREAMING,
        "key=lambda name: (list(_NAMES).index(_code(tensors[name])), name)",
        "key=lambda name: name",
        STREAMED,
    ),
    Mutant(
        "n-grams: NaN is written",
        STREAMING,
        "                check_finite(name, block)\n",
        "",
        STREAMED,
    ),
    # ---- arpa.py, spelling.py
    Mutant(
        "n-grams: ARPA files have natural logarithms",
        ARPA,
        "            logs = smoothed.log_probabilities[order - 1][numbers] / LOG10\n",
        "            logs = smoothed.log_probabilities[order - 1][numbers]\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: ARPA files are read as natural logarithms",
        ARPA,
        ".reshape(-1, 2) * LOG10\n",
        ".reshape(-1, 2)\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: an ARPA file's n-grams stay in its order",
        ARPA,
        "    return keys, logs[by_key], backoffs[by_key]\n",
        "    return keys, logs, backoffs\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: an ARPA file without <unk> knows every word",
        ARPA,
        "    found.setdefault(UNKNOWN, (NO_UNKNOWN, 0.0))\n",
        "    found.setdefault(UNKNOWN, (0.0, 0.0))\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: ARPA files may break off",
        ARPA,
        "    if line != END_OF_FILE:\n",
        "    if line == DATA:\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: an ARPA file may lack what its n-grams begin with",
        ARPA,
        "    if (prefixes < 0).any():\n",
        "    if (prefixes < -1).any():\n",
        EQUATIONS,
    ),
    Mutant(
        "n-grams: <unk> is written as a token like any other",
        SPELLING,
        "        words[UNK] = UNKNOWN\n",
        "        words[UNK] = _escape(UNKNOWN)\n",
        COMMAND,
    ),
    Mutant(
        "n-grams: white space in a token parts it in an ARPA file",
        SPELLING,
        "    return _TO_ESCAPE.sub(lambda match: _code(match[0]), token)\n",
        "    return token\n",
        COMMAND,
    ),
]
