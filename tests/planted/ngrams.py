"""Errors in counting n-grams and in sorting them on the disk."""

from planted.mutant import Mutant

COUNTING, PACKING, SORTING, WORKSPACE = (f"ngram/{name}.py" for name in ("counting", "packing", "sorting", "workspace"))
BOUNDED = ("ngram/test_ngram_bounded.py",)
MEMORY = ("cli/test_cli_ngram_memory.py",)

MUTANTS = [
    # ---- counting.py
    Mutant(
        "n-grams: those that are counted reach over the start of a text",
        COUNTING,
        "        going *= word != start\n",
        "",
        BOUNDED,
    ),
    Mutant(
        "n-grams: the start of a text is counted as predicted",
        COUNTING,
        "rows[written[packing.order - 1 :] != start]",
        "rows",
        BOUNDED,
    ),
    Mutant(
        "n-grams: a block knows nothing of the words before it",
        COUNTING,
        "            before = written[len(written) - len(before) :]\n",
        "            before = np.zeros_like(before)\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: those that begin a text are counted by the words before them",
        COUNTING,
        "    return np.where(first == packing.words, often, _new(both, packing, order + 1))\n",
        "    return _new(both, packing, order + 1).astype(np.int64)\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: those of the highest order are counted by different places",
        COUNTING,
        "        return np.where(first > 0, often, 0)\n",
        "        return np.where(first > 0, 1, 0)\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: a shorter one adds to the count of the one before it",
        COUNTING,
        "        return np.where(first > 0, often, 0)\n",
        "        return often\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: what comes of one in the next block is not counted",
        COUNTING,
        "        unfinished[:, width] += shares[0]\n",
        "",
        BOUNDED,
    ),
    Mutant(
        "n-grams: one that goes on into the next block is counted there anew",
        COUNTING,
        "        both = np.concatenate((last, block))\n        last = block[-1:]\n        new, numbers",
        "        both = np.concatenate((last, block))\n        new, numbers",
        BOUNDED,
    ),
    Mutant(
        "n-grams: the shorter ones are numbered from the start of a block",
        COUNTING,
        "        shorter = int(numbers[-1])\n",
        "",
        BOUNDED,
    ),
    Mutant(
        "n-grams: of words that stand in several rows of a block, one counts",
        COUNTING,
        "        np.add.at(found, packing.written(block, 0).astype(np.int64) - 1, _shares(both, packing, 1))\n",
        "        found[packing.written(block, 0).astype(np.int64) - 1] += _shares(both, packing, 1)\n",
        BOUNDED,
    ),
    # ---- packing.py
    Mutant(
        "n-grams: 0 is a word too",
        PACKING,
        "        return self.words.bit_length()\n",
        "        return (self.words - 1).bit_length()\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: those that differ beyond the first column are taken for one",
        PACKING,
        "self._mask(places)[: self.columns(places)], strict=False",
        "self._mask(places)[:1], strict=False",
        BOUNDED,
    ),
    Mutant(
        "n-grams: the last column is compared first",
        PACKING,
        '    return np.ascontiguousarray(rows[:, :width], ">u8")',
        '    return np.ascontiguousarray(rows[:, width - 1 :: -1], ">u8")',
        BOUNDED,
    ),
    Mutant(
        "n-grams: columns are compared from their lowest byte",
        PACKING,
        '(rows[:, :width], ">u8")',
        '(rows[:, :width], "<u8")',
        BOUNDED,
    ),
    # ---- sorting.py
    Mutant(
        "n-grams: rows that come twice count once",
        SORTING,
        "        found[:, -1] = np.add.reduceat(rows[:, -1], first)\n",
        "",
        BOUNDED,
    ),
    Mutant(
        "n-grams: merging does not wait for the run that is behind",
        SORTING,
        "min(ends)",
        "max(ends)",
        BOUNDED,
    ),
    Mutant(
        "n-grams: what is in memory at the end is not merged with the runs",
        SORTING,
        "        if self._pending:\n            self._spill()\n        runs",
        "        runs",
        BOUNDED,
    ),
    Mutant(
        "n-grams: all runs are open at once",
        SORTING,
        "            if len(level) < FAN_IN:\n",
        "            if True:\n",
        BOUNDED,
    ),
    # ---- workspace.py
    Mutant(
        "n-grams: tables stay in memory",
        WORKSPACE,
        "        if self._held + size > self._memory // _TABLES:\n",
        "        if self._held < 0:\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: memory is not given back",
        WORKSPACE,
        "        self._held -= size\n",
        "        self._held -= 0\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: rows are read from the start",
        WORKSPACE,
        "            self._file.seek(begin * self._row_bytes)\n",
        "            self._file.seek(0)\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: a table loses what it had in memory",
        WORKSPACE,
        "                        file.write(held)\n",
        "                        file.write(bytes(len(held)))\n",
        BOUNDED,
    ),
    Mutant(
        "n-grams: trouble leaves files open",
        WORKSPACE,
        "        for table in list(self._tables):\n            table.close()\n",
        "        self._tables.clear()\n",
        MEMORY,
        "trouble",
    ),
    Mutant(
        "n-grams: temporary files lie in the system's folder",
        WORKSPACE,
        "        return tempfile.TemporaryFile(dir=self._folder)\n",
        "        return tempfile.TemporaryFile(dir=None)\n",
        MEMORY,
        "lie",
    ),
]
