"""Errors in the order of suffixes, in the search among them, and in what samples copy."""

from planted.mutant import Mutant

INDEX = ("novelty/test_suffix_index.py",)
COPIES = ("novelty/test_copies.py",)
COMMAND = ("cli/test_cli_sample_extras.py",)

MUTANTS = [
    # ---- novelty/suffixes.py
    Mutant(
        "novelty: what stands behind the end is as a token",
        "novelty/suffixes.py",
        "        second[inside] = place[behind[inside]] + 1\n",
        "        second[inside] = place[behind[inside]]\n",
        INDEX,
    ),
    Mutant(
        "novelty: suffixes are compared by fewer tokens than is thought",
        "novelty/suffixes.py",
        "    return keys, number\n",
        "    return keys, number + 1\n",
        INDEX,
    ),
    Mutant(
        "novelty: what has been compared does not double",
        "novelty/suffixes.py",
        "        compared *= 2\n",
        "        compared *= 3\n",
        INDEX,
    ),
    # ---- novelty/index.py
    Mutant(
        "novelty: blocks do not reach into the next",
        "novelty/index.py",
        "min(begin + BLOCK + OVERLAP, tokens)",
        "min(begin + BLOCK, tokens)",
        INDEX,
    ),
    Mutant(
        "novelty: only the suffix behind is looked at",
        "novelty/index.py",
        "        for neighbour in (low, low - 1):\n",
        "        for neighbour in (low,):\n",
        INDEX,
    ),
    Mutant(
        "novelty: too many places are left out of the search",
        "novelty/index.py",
        "                    place += step\n                    continue\n",
        "                    place += step + 1\n                    continue\n",
        INDEX,
    ),
    Mutant(
        "novelty: a stretch as long as allowed is too long",
        "novelty/index.py",
        "        return best if best.length > beyond else Stretch()\n",
        "        return best if best.length >= beyond else Stretch()\n",
        INDEX,
    ),
    Mutant(
        "novelty: what is in a file is not looked at",
        "novelty/index.py",
        "            if check and _checksum(file, end) != checksum:\n",
        "            if check and checksum < 0:\n",
        INDEX,
    ),
    # ---- novelty/kept.py
    Mutant(
        "novelty: an index is built every time",
        "novelty/kept.py",
        "        if found is not None:\n            return found\n",
        "",
        COPIES,
    ),
    # ---- novelty/copies.py
    Mutant(
        "novelty: an unknown token is a copy of another",
        "novelty/copies.py",
        "drawn if unknown is None else np.where(drawn == unknown, -1, drawn)",
        "drawn",
        COPIES,
    ),
    Mutant(
        "novelty: the end of a line is a copy",
        "novelty/copies.py",
        "        drawn = drawn[:-1] if drawn.size and drawn[-1] == tokenizer.eos_id else drawn\n",
        "",
        COPIES,
    ),
    Mutant(
        "novelty: lines are counted from 0",
        "novelty/copies.py",
        "self._index.count(line_end, found.place) + 1,",
        "self._index.count(line_end, found.place),",
        COPIES,
    ),
    Mutant(
        "novelty: prompts share what is wanted",
        "novelty/copies.py",
        "kept[id(sample.prompt)] < number and",
        "kept.total() < number * prompts and",
        COPIES,
    ),
    Mutant(
        "novelty: a sample that was looked at has nothing left to write",
        "novelty/copies.py",
        "            yield sample.settled()\n",
        "            yield sample\n",
        (*COPIES, *COMMAND),
    ),
    Mutant(
        "novelty: the validation part is taken for training text",
        "cli/novelty.py",
        "setup.own_corpus(trained, watched(texts), valid, _REMEDY).train",
        "setup.own_corpus(trained, watched(texts), valid, _REMEDY).valid",
        COMMAND,
    ),
]
