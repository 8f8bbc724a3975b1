"""Errors in what becomes of distributions, in constraints and ends, in the order of samples, and in beam search."""

from planted.mutant import Mutant

FILTERS = ("nn/test_sampling_filters.py",)
RULES = ("nn/test_sampling_constraints.py",)
BEAMS = ("nn/test_sampling_beams.py",)
COMMAND = ("cli/test_cli_sample_options.py",)

MUTANTS = [
    # ---- sampling/filters.py
    Mutant(
        "filters: a penalty that divides log-probabilities favours repetition",
        "sampling/filters.py",
        "logprobs * penalty, logprobs",
        "logprobs / penalty, logprobs",
        FILTERS,
    ),
    Mutant(
        "filters: top-k comes before the temperature",
        "sampling/filters.py",
        "    logprobs = temperature(logprobs, heat)\n    if filters.top_k is not None:\n"
        "        logprobs = top_k(logprobs, filters.top_k)\n    if filters.top_p < 1:\n"
        "        logprobs = top_p(logprobs, filters.top_p)\n",
        "    if filters.top_k is not None:\n"
        "        logprobs = top_k(logprobs, filters.top_k)\n    if filters.top_p < 1:\n"
        "        logprobs = top_p(logprobs, filters.top_p)\n    logprobs = temperature(logprobs, heat)\n",
        FILTERS,
    ),
    Mutant(
        "filters: among equals top-k keeps too many",
        "sampling/filters.py",
        "    open_places = number - np.count_nonzero(above, axis=0)\n",
        "    open_places = number\n",
        FILTERS,
    ),
    Mutant(
        "filters: top-p stops one short of the share",
        "sampling/filters.py",
        "number: NDArray[np.int64] = 1 + np.count_nonzero(together[:-1] < share, axis=0)",
        "number: NDArray[np.int64] = np.maximum(1, np.count_nonzero(together < share, axis=0))",
        FILTERS,
    ),
    Mutant(
        "filters: top-p never looks beyond the few that are sorted first",
        "sampling/filters.py",
        "        if np.all(np.exp(top).sum(axis=0) >= share):\n            break\n",
        "        if True:\n            break\n",
        FILTERS,
    ),
    Mutant(
        "filters: min-p is a share of the whole",
        "sampling/filters.py",
        "logprobs >= logprobs.max(axis=0) + np.log(share)",
        "logprobs >= np.minimum(np.log(share), logprobs.max(axis=0))",
        FILTERS,
    ),
    Mutant(
        "filters: typical is likely",
        "sampling/filters.py",
        "np.abs(surprise - (probabilities * surprise).sum(axis=0))",
        "np.abs(surprise)",
        FILTERS,
    ),
    Mutant(
        "filters: what is left is not divided by its sum",
        "sampling/filters.py",
        "    return log_softmax(np.where(keep, logprobs, -np.inf))\n",
        "    return np.where(keep, logprobs, -np.inf)\n",
        FILTERS,
    ),
    # ---- sampling/drawing.py
    Mutant(
        "drawing: the temperature counts twice where something is filtered",
        "sampling/drawing.py",
        "Drawer(config if config.filters.idle else replace(config, temperature=1.0), vocabulary)",
        "Drawer(config, vocabulary)",
        FILTERS,
    ),
    Mutant(
        "drawing: the model's log-probability is that of the filtered distribution",
        "sampling/drawing.py",
        "np.take_along_axis(everything, ids[None], axis=0)[0],",
        "np.take_along_axis(distribution, ids[None], axis=0)[0],",
        FILTERS,
    ),
    # ---- sampling/constraints.py, progress.py, side_by_side.py, many.py
    Mutant(
        "constraints: a sample may end where it may not",
        "sampling/constraints.py",
        "            allowed[list(self._stop)] = False\n",
        "            pass\n",
        RULES,
    ),
    Mutant(
        "constraints: of several the first alone holds",
        "sampling/constraints.py",
        "np.logical_and.reduce([self._ever, *masks])",
        "np.logical_and.reduce([self._ever, *masks[:1]])",
        RULES,
    ),
    Mutant(
        "constraints: what is never drawn may be where something is allowed",
        "sampling/constraints.py",
        "np.logical_and.reduce([self._ever, *masks])",
        "np.logical_and.reduce([self._ever, *masks][-1:])",
        RULES,
    ),
    Mutant(
        "progress: the window of a penalty forgets the prompt",
        "sampling/progress.py",
        "        self._ids[: len(last), lane] = last\n",
        "        pass\n",
        RULES,
    ),
    Mutant(
        "progress: the window of a penalty keeps what the lane's last sample had",
        "sampling/progress.py",
        "        self._ids[:, lane] = self._vocabulary\n",
        "        pass\n",
        RULES,
    ),
    Mutant(
        "side by side: a sample begins in the states of the one before",
        "sampling/side_by_side.py",
        "                part[:, lane] = fresh[:, 0]\n",
        "                pass\n",
        ("nn/test_sampling.py",),
    ),
    Mutant(
        "many: the lanes follow the number of samples",
        "sampling/many.py",
        "    for job in islice(waiting, 1):\n        yield draw_one(model, job, config)\n",
        "    waiting = iter([*waiting])\n    if waiting.__length_hint__() == 1:\n"
        "        yield draw_one(model, next(waiting), config)\n",
        RULES,
        only="do_not_change or asked_for",
    ),
    Mutant(
        "many: samples come as they end",
        "sampling/many.py",
        "        while following in waiting:\n            yield waiting.pop(following)\n            following += 1\n",
        "        yield waiting.pop(index)\n",
        RULES,
    ),
    # ---- sampling/text_stops.py
    Mutant(
        "stops: a text is looked for in one token",
        "sampling/text_stops.py",
        "        text, lines = state.tail + piece,",
        "        text, lines = piece,",
        COMMAND,
        only="end_stands_across",
    ),
    Mutant(
        "stops: the last of several texts ends a sample",
        "sampling/text_stops.py",
        "        end, why = min(ends)\n",
        "        end, why = max(ends)\n",
        COMMAND,
        only="first_of_several or end_stands",
    ),
    Mutant(
        "stops: what stands behind the end is written",
        "sampling/text_stops.py",
        "Read(token, tail, lines, why, len(text) - end)",
        "Read(token, tail, lines, why, 0)",
        COMMAND,
        only="end_stands_across",
    ),
    Mutant(
        "stops: lines of the last token alone are counted",
        "sampling/text_stops.py",
        "state.lines + piece.count(",
        "piece.count(",
        COMMAND,
        only="so_many_lines",
    ),
    # ---- sample_options.py, samples.py
    Mutant(
        "options: a banned word comes behind no space",
        "sample_options.py",
        "for each in (plain, MARK + plain) if each in known",
        "for each in (token,) if each in known",
        COMMAND,
        only="banned_words",
    ),
    Mutant(
        "options: words of --only run together",
        "sample_options.py",
        "ids[:1] if parted and plain[0].isalnum() else ids",
        "ids",
        COMMAND,
        only="banned_words",
    ),
    Mutant(
        "options: --only forbids the end",
        "sample_options.py",
        """"--only", only, parted=True)) - set(stop)\n""",
        """"--only", only, parted=True))\n""",
        COMMAND,
        only="no_other_characters",
    ),
    Mutant(
        "samples: every prompt has the same random numbers",
        "samples.py",
        "(seed, index, place) if place else (seed, index)",
        "(seed, index)",
        COMMAND,
        only="other_random_numbers",
    ),
    # ---- sampling/beams.py
    Mutant(
        "beams: no length normalisation",
        "sampling/beams.py",
        "((5 + length) / 6) ** config.length_penalty",
        "1.0",
        BEAMS,
    ),
    Mutant(
        "beams: states of another beam",
        "sampling/beams.py",
        "part[:, lanes] for part in state",
        "part[:, lanes[:1] * len(lanes)] for part in state",
        BEAMS,
    ),
    Mutant(
        "beams: what may still win is dropped",
        "sampling/beams.py",
        "beam.guided / _divisor(self._config.length, self._config) > self.ended[-1].rank",
        "beam.guided / _divisor(beam.length, self._config) > self.ended[-1].rank",
        BEAMS,
    ),
    Mutant(
        "beams: groups do not see what others have taken",
        "sampling/beams.py",
        "            np.add.at(taken, group.step(logprobs, taken), 1)\n",
        "            group.step(logprobs, taken)\n",
        BEAMS,
    ),
    Mutant(
        "beams: the log-probability that is shown lacks what diversity takes",
        "sampling/beams.py",
        "beam.length + 1, beam.logprob + logprob, float(guided[token])",
        "beam.length + 1, float(guided[token]), float(guided[token])",
        BEAMS,
    ),
    Mutant(
        "beams: what ends goes on, too",
        "sampling/beams.py",
        "        guided[:, self._stop] = -np.inf\n",
        "        pass\n",
        BEAMS,
    ),
    Mutant(
        "beams: a dead end is a text",
        "sampling/beams.py",
        "        if why != DEAD_END:\n",
        "        if why:\n",
        BEAMS,
    ),
]
