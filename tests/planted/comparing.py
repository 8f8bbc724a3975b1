"""Errors in the commands that compare texts under a model, and models on a text."""

from planted.mutant import Mutant

RANKING = ("test_ranking.py",)
TEMPLATES = ("test_templates.py",)
ATTRIBUTION = ("test_attribution.py",)
DIFFERENCES = ("test_differences.py",)
RANK = ("cli/test_cli_rank.py",)
WHICH = ("cli/test_cli_which.py",)
DIFF = ("cli/test_cli_diff.py",)

MUTANTS = [
    # ---- ranking.py, pairs.py, templates.py: alternatives, and pairs of which one is right
    Mutant(
        "rank: the odds are those of the alternative against the first",
        "ranking.py",
        "log_odds=scores[0].logprob - score.logprob",
        "log_odds=score.logprob - scores[0].logprob",
        RANKING,
    ),
    Mutant(
        "rank: the least likely comes first",
        "ranking.py",
        "key=lambda score: -score.logprob",
        "key=lambda score: score.logprob",
        RANKING,
    ),
    Mutant(
        "rank: the mean is not what texts are ordered by",
        "ranking.py",
        "(LENGTHS[by](score) if by else 1)",
        "1",
        RANK,
    ),
    Mutant(
        "rank: the mean of a token is that of a character",
        "ranking.py",
        '"token": lambda score: score.tokens',
        '"token": lambda score: characters(score.text)',
        RANKING,
    ),
    Mutant(
        "rank: a posterior is the probability of the text alone",
        "ranking.py",
        "np.exp(log_softmax(np.array([score.logprob for score in scores])))",
        "np.exp(np.array([score.logprob for score in scores]))",
        RANKING,
    ),
    Mutant("rank: a text that is given twice counts twice", "ranking.py", "dict.fromkeys(texts)", "texts", RANKING),
    Mutant("rank: odds above a million are below it", "cli/comparing.py", "if nats > 0 else", "if nats < 0 else", RANK),
    Mutant(
        "pairs: the wrong sentence is the right one",
        "pairs.py",
        "[text for pair in some for text in (pair.good, pair.bad)]",
        "[text for pair in some for text in (pair.bad, pair.good)]",
        RANKING,
    ),
    Mutant("pairs: a tie is a point", "pairs.py", "return 0.5 if math.isclose", "return 1.0 if math.isclose", RANKING),
    Mutant("pairs: a tie is exact", "pairs.py", "rel_tol=TIE", "rel_tol=0", RANKING),
    Mutant(
        "pairs: the share by token is that of whole sentences",
        "pairs.py",
        "return verdict(self.good.logprob / of(self.good), self.bad.logprob / of(self.bad))",
        "return verdict(self.good.logprob, self.bad.logprob)",
        RANKING,
    ),
    Mutant(
        "pairs: every group counts all pairs",
        "pairs.py",
        "groups.setdefault(each.pair.group, Accuracy()).add(each)",
        "groups.setdefault(each.pair.group, overall)",
        RANKING,
    ),
    Mutant(
        "pairs: the standard error is the deviation",
        "pairs.py",
        "squares - self.accuracy**2) / self.pairs)",
        "squares - self.accuracy**2))",
        RANKING,
    ),
    Mutant(
        "pairs: the standard error takes ties for points",
        "pairs.py",
        "(self.right - self.ties / 4)",
        "self.right",
        RANKING,
    ),
    Mutant(
        "templates: a choice gives only its first alternatives",
        "templates.py",
        "product(*choices)",
        "zip(*choices, strict=False)",
        TEMPLATES,
    ),
    Mutant(
        "templates: an escaped bar parts alternatives",
        "templates.py",
        '_ESCAPED = "{}|\\\\"',
        '_ESCAPED = "{}\\\\"',
        TEMPLATES,
    ),
    Mutant(
        "templates: a brace written twice stays twice",
        "templates.py",
        "text.append(following)",
        "text.append(character + following)",
        TEMPLATES,
    ),
    Mutant(
        "templates: an empty alternative is none",
        "templates.py",
        "return alternatives, at + 1",
        "return [each for each in alternatives if each], at + 1",
        TEMPLATES,
    ),
    # ---- attribution.py, spelling.py, likelihoods.py: which model wrote a text
    Mutant(
        "which: priors do not count",
        "attribution.py",
        "log_softmax(logprobs + np.log(list(priors.values())))",
        "log_softmax(logprobs)",
        ATTRIBUTION,
    ),
    Mutant(
        "which: weights are priors as they are",
        "attribution.py",
        "return {name: priors[name] / total for name in names}",
        "return {name: priors[name] for name in names}",
        ATTRIBUTION,
    ),
    Mutant(
        "which: priors stand in the order in which they were given",
        "attribution.py",
        "return {name: priors[name] / total for name in names}",
        "return {name: weight / total for name, weight in priors.items()}",
        ATTRIBUTION,
        only="priors_are_checked",
    ),
    Mutant(
        "which: the likeliest comes first, whatever its prior",
        "attribution.py",
        "claims.sort(key=lambda claim: -claim.posterior)",
        "claims.sort(key=lambda claim: -claim.logprob)",
        ATTRIBUTION,
    ),
    Mutant(
        "which: the ratio is that of the next to the first",
        "attribution.py",
        "return self.claims[0].logprob - self.claims[1].logprob",
        "return self.claims[1].logprob - self.claims[0].logprob",
        ATTRIBUTION,
    ),
    Mutant(
        "which: the table of confusion is turned",
        "attribution.py",
        "self.counts[self.names.index(truth), self.names.index(found)] += 1",
        "self.counts[self.names.index(found), self.names.index(truth)] += 1",
        ATTRIBUTION,
    ),
    Mutant(
        "which: the table shows rows as columns",
        "cli/which.py",
        "confusion.counts.T.tolist()",
        "confusion.counts.tolist()",
        WHICH,
    ),
    Mutant(
        "which: a text has the label of the one that was read last",
        "attribution.py",
        "yield labels.popleft(), found",
        "yield labels.pop(), found",
        WHICH,
    ),
    Mutant(
        "which: the verdict is doubtful wherever the first is loose",
        "attribution.py",
        "bool(set(claims[0].loose) - shared)",
        "bool(claims[0].loose)",
        ATTRIBUTION,
    ),
    Mutant(
        "which: unknown tokens are not spelt",
        "likelihoods.py",
        "logprobs + spelling, spelling",
        "logprobs, spelling",
        ATTRIBUTION,
    ),
    Mutant(
        "which: the end is no character",
        "likelihoods.py",
        "return len(comparable_text(text)) + 1",
        "return max(1, len(comparable_text(text)))",
        ATTRIBUTION,
    ),
    Mutant(
        "which: unknown words have no end to spell",
        "spelling.py",
        "nats = math.log(self._ends / self._all)",
        "nats = 0.0",
        ATTRIBUTION,
    ),
    Mutant(
        "which: passages end in front of white space",
        "attribution.py",
        "if text[place - 1].isspace()",
        "if text[place : place + 1].isspace()",
        ATTRIBUTION,
    ),
    # ---- differences.py: where two models disagree
    Mutant(
        "diff: the difference is that of the second to the first",
        "differences.py",
        "return self.logprob_a - self.logprob_b",
        "return self.logprob_b - self.logprob_a",
        DIFF,
    ),
    Mutant(
        "diff: what the second finds likelier comes last",
        "differences.py",
        "key=lambda gap: -abs(gap.difference)",
        "key=lambda gap: -gap.difference",
        DIFFERENCES,
    ),
    Mutant(
        "diff: the smallest difference comes first",
        "differences.py",
        "key=lambda gap: -abs(gap.difference)",
        "key=lambda gap: abs(gap.difference)",
        DIFFERENCES,
    ),
    Mutant(
        "diff: models are compared wherever one has the end of a token",
        "differences.py",
        "ends = np.intersect1d(one.ends, other.ends)",
        "ends = one.ends",
        DIFFERENCES,
    ),
    Mutant(
        "diff: a part begins with the last token of the one before",
        "differences.py",
        'side="right")',
        'side="left")',
        DIFFERENCES,
    ),
    Mutant(
        "diff: what the second finds likelier is green",
        "cli/diff.py",
        'fg="green" if difference > 0 else "magenta"',
        'fg="green" if difference < 0 else "magenta"',
        DIFF,
    ),
]
