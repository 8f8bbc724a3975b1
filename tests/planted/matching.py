"""Errors in what may follow a text that is to match, and in the search for such texts."""

from planted.mutant import Mutant

MATCHING = ("test_matching.py",)
COMMAND = ("cli/test_cli_sample_extras.py",)

MUTANTS = [
    # ---- matching/patterns.py
    Mutant(
        "matching: a text must match as soon as it begins",
        "matching/patterns.py",
        "        return self._looks(text, partial=True)\n",
        "        return self._looks(text, partial=False)\n",
        MATCHING,
    ),
    Mutant(
        "matching: a match may be a part of one",
        "matching/patterns.py",
        "        return self._looks(text, partial=False)\n",
        "        return self._looks(text, partial=True)\n",
        MATCHING,
    ),
    Mutant(
        "matching: every word stands without a space",
        "matching/patterns.py",
        "        return self._apart\n",
        "        return self.first\n",
        MATCHING,
    ),
    Mutant(
        "matching: the beginning of a token is only its space",
        "matching/patterns.py",
        "            if len(members) > 1 and not self._pattern.may_become(text + beginning):\n",
        "            if len(members) > 1 and not self._pattern.is_met(text + beginning):\n",
        MATCHING,
    ),
    Mutant(
        "matching: what follows a text is kept for another",
        "matching/patterns.py",
        "        key = (text, added is self._tokens.first)\n",
        "        key = (text[-1:], added is self._tokens.first)\n",
        MATCHING,
    ),
    Mutant(
        "matching: a pattern may take for ever",
        "matching/patterns.py",
        "partial=partial, timeout=self._allowance.left())",
        "partial=partial, timeout=99)",
        MATCHING,
    ),
    # ---- matching/limits.py, shortest.py
    Mutant(
        "matching: every look of a place has all its time",
        "matching/limits.py",
        "            left = self._end - process_time()\n",
        "            pass\n",
        MATCHING,
    ),
    Mutant(
        "matching: places do not add up",
        "matching/limits.py",
        "            self._left -= max(0.0, process_time() - begun - self._free)\n",
        "            pass\n",
        MATCHING,
    ),
    Mutant(
        "matching: a large vocabulary uses up the time of a place",
        "matching/limits.py",
        "            self._end += FREE\n",
        "",
        MATCHING,
    ),
    Mutant(
        "matching: a large vocabulary uses up the time of a sample",
        "matching/limits.py",
        "            self._free += FREE\n",
        "",
        MATCHING,
    ),
    Mutant(
        "matching: a sample has what the one before has left",
        "matching/limits.py",
        "        self._left = self._seconds\n\n    @",
        "        pass\n\n    @",
        MATCHING,
    ),
    Mutant(
        "matching: the message names the other limit",
        "matching/limits.py",
        "        if self._left < share:\n",
        "        if self._left >= share:\n",
        MATCHING,
    ),
    Mutant(
        "matching: what means something else to re is counted",
        "matching/shortest.py",
        "    if _OTHERWISE.search(text):\n",
        "    if False:\n",
        MATCHING,
    ),
    Mutant(
        "matching: the longest match is taken for the shortest",
        "matching/shortest.py",
        ".getwidth()[0]",
        ".getwidth()[1]",
        MATCHING,
    ),
    # ---- matching/search.py
    Mutant(
        "matching: a length counts tokens as characters",
        "matching/search.py",
        "most, least = self._config.length * self._next.longest,",
        "most, least = self._config.length,",
        MATCHING,
    ),
    Mutant(
        "matching: a match as long as the length is too long",
        "matching/search.py",
        "        if least > most:\n",
        "        if least >= most:\n",
        MATCHING,
    ),
    Mutant(
        "matching: a text ends before it matches",
        "matching/search.py",
        "        if step.met and stop:\n",
        "        if stop:\n",
        MATCHING,
    ),
    Mutant(
        "matching: in a stream a match goes on as long as it can",
        "matching/search.py",
        "        if step.met and not stop:\n",
        "        if step.met and stop:\n",
        MATCHING,
    ),
    Mutant(
        "matching: what was taken back is drawn again",
        "matching/search.py",
        "                steps[-1].open[step.ids[-1]] = False\n",
        "                steps[-1].open[step.ids[-1]] = True\n",
        MATCHING,
    ),
    Mutant(
        "matching: a search goes back for ever",
        "matching/search.py",
        "            if dead_ends > patience:\n",
        "            if dead_ends > 1000 * patience:\n",
        MATCHING,
    ),
    Mutant(
        "matching: budgets have no end",
        "matching/search.py",
        "                if tried == budget:\n",
        "                if tried == 10 * budget:\n",
        MATCHING,
    ),
    Mutant(
        "matching: other constraints are forgotten",
        "matching/search.py",
        "self._next.allowed(text, ids[-1] if ids else None) & self._rules.mask(place)",
        "self._next.allowed(text, ids[-1] if ids else None).copy()",
        MATCHING,
    ),
    Mutant(
        "matching: log-probabilities are those of the step before",
        "matching/search.py",
        "for step in steps if step.choice is not None]",
        "for step in steps[:-1] if step.choice is not None]",
        (*MATCHING, *COMMAND),
    ),
]
