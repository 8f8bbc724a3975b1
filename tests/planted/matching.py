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
        "partial=partial, timeout=SECONDS)",
        "partial=partial, timeout=None)",
        MATCHING,
    ),
    # ---- matching/search.py
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
