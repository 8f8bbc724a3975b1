"""Errors in the search for what may fill a gap."""

from planted.mutant import Mutant

FILLING = ("test_filling.py",)

MUTANTS = [
    Mutant(
        "filling: the space beside a gap is not known",
        "filling.py",
        "        read = filled + part if index == len(parts) - 1 else tokenizer.trim_prompt(filled + part)\n",
        "        read = filled + part\n",
        ("cli/test_cli_sample_extras.py",),
        "around_a_gap",
    ),
    Mutant(
        "filling: only gaps of the greatest length are found",
        "filling.py",
        "        return _together(lengths)\n",
        "        return lengths[-1]\n",
        FILLING,
    ),
    Mutant(
        "filling: the least likely candidates are kept",
        "filling.py",
        "    some = np.argpartition(-values, number)[:number] if number < len(values) else np.arange(len(values))\n",
        "    some = np.argpartition(values, number)[:number] if number < len(values) else np.arange(len(values))\n",
        FILLING,
    ),
    Mutant(
        "filling: states of other candidates are gone on from",
        "filling.py",
        "            some = np.resize(lanes[first : first + LANES], LANES)\n",
        "            some = np.resize(lanes[:LANES], LANES)\n",
        FILLING,
    ),
    Mutant(
        "filling: what stands behind a gap does not count",
        "filling.py",
        "sorted(ranked, key=lambda each: -each.logprob)[:number]",
        "ranked[:number]",
        FILLING,
    ),
    Mutant(
        "filling: the end of a line may fill a gap",
        "filling.py",
        "for i in (tokenizer.eos_id, tokenizer.unknown_id) if i is not None",
        "for i in (tokenizer.unknown_id,) if i is not None",
        FILLING,
    ),
    Mutant(
        "filling: candidates whose tokens are not those of their text are shown",
        "filling.py",
        "    return tuple(fills) if tokens == [i for ids in segments for i in ids] else None\n",
        "    return tuple(fills) if tokens else None\n",
        FILLING,
    ),
    Mutant(
        "filling: the space before a gap is doubled",
        "filling.py",
        "            fills.append(text[1:] if implied else text)\n",
        "            fills.append(text)\n",
        FILLING,
    ),
    Mutant(
        "filling: the beam is wider than was asked for",
        "filling.py",
        "            best = _largest(flat, min(width, int(np.isfinite(flat).sum())))\n",
        "            best = _largest(flat, min(width + 1, int(np.isfinite(flat).sum())))\n",
        FILLING,
    ),
]
