"""Errors in what n-gram models say of many texts, and in how the n-grams are found."""

from planted.mutant import Mutant

TABLES, TRIE, JUDGE, MODEL = "ngram/tables.py", "ngram/trie.py", "ngram/probabilities.py", "ngram/model.py"
JUDGING = ("ngram/test_judging.py",)

MUTANTS = [
    # ---- tables.py
    Mutant(
        "n-grams: a key whose slot is taken is not looked for in the next",
        TABLES,
        "        while len(left):\n",
        "        while False:\n",
        JUDGING,
        "crowded",
    ),
    Mutant(
        "n-grams: keys of a hash table overwrite one another",
        TABLES,
        "        slots = places + np.maximum.accumulate(hashes[by_hash] - places)\n",
        "        slots = hashes[by_hash]\n",
        JUDGING,
        "crowded",
    ),
    Mutant(
        "n-grams: a key that is in no slot has the number of the one in its slot",
        TABLES,
        "        numbers[left] = NOWHERE\n",
        "",
        JUDGING,
        "tables_find",
    ),
    Mutant(
        "n-grams: a direct table knows every key",
        TABLES,
        "        self._numbers = np.full(space, NOWHERE, np.int32)\n",
        "        self._numbers = np.zeros(space, np.int32)\n",
        JUDGING,
        "tables_find",
    ),
    Mutant(
        "n-grams: no table is ever made",
        TABLES,
        "0 < len(self._keys) <= min(self._asked, MOST_KEYS)",
        "False",
        JUDGING,
        "a_table_is_made",
    ),
    Mutant(
        "n-grams: a table is made of no keys",
        TABLES,
        "0 < len(self._keys) <=",
        "0 <= len(self._keys) <=",
        JUDGING,
        "of_no_keys",
    ),
    # ---- trie.py, probabilities.py, model.py
    Mutant(
        "n-grams: they reach over the start of a text",
        TRIE,
        "np.append(sequence[1:] != trie.words - 1, False)",
        "np.append(np.ones(len(sequence) - 1, np.bool_), False)",
        JUDGING,
        "reaches_over",
    ),
    Mutant(
        "n-grams: a block begins without the words before it",
        JUDGE,
        "        first = max(0, begin - trie.order + 1)\n",
        "        first = begin\n",
        JUDGING,
        "in_blocks",
    ),
    Mutant(
        "n-grams: a block begins one word too late",
        JUDGE,
        "begin - trie.order + 1)",
        "begin - trie.order + 2)",
        JUDGING,
        "in_blocks",
    ),
    Mutant(
        "n-grams: backoffs count where the n-gram is there",
        JUDGE,
        "        logs[ends.missing] += smoothed.log_backoffs[order - 2].take(ends.contexts)\n"
        "        logs[ends.there] = ",
        "        logs[ends.missing] += smoothed.log_backoffs[order - 2].take(ends.contexts)\n"
        "        logs[ends.there] += ",
        ("ngram/test_ngram.py",),
    ),
    Mutant(
        "n-grams: only the first of many lines begins with <s>",
        MODEL,
        "        starts = bounds[:-1] + np.arange(len(bounds) - 1)\n",
        "        starts = bounds[:1]\n",
        JUDGING,
        "together",
    ),
    Mutant(
        "n-grams: lines are judged as they stand, with byte order marks",
        MODEL,
        '"".join([normalise(line) + "\\n" for line in lines])',
        '"".join([line + "\\n" for line in lines])',
        JUDGING,
        "together",
    ),
    Mutant(
        "n-grams: a line with a line break is two",
        MODEL,
        "        if len(bounds) != len(lines) + 1:\n",
        "        if False:\n",
        JUDGING,
        "line_break",
    ),
    Mutant(
        "n-grams: a line's probability is that of all up to it",
        MODEL,
        "np.add.reduceat(self.log_probabilities, self.bounds[:-1])",
        "np.cumsum(self.log_probabilities)[self.bounds[1:] - 1]",
        JUDGING,
        "together",
    ),
]
