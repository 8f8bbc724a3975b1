"""Errors in what a score says of a text: its units, what is counted, and what unknown words share."""

from planted.mutant import Mutant

SCORES = ("test_score_units.py",)
COMMANDS = ("cli/test_cli_score.py",)

MUTANTS = [
    # ---- scores.py: units, and what is counted
    Mutant(
        "scores: bits are nats",
        "scores.py",
        "return -self.logprob / self.tokens / NATS_PER_BIT",
        "return -self.logprob / self.tokens",
        SCORES,
    ),
    Mutant(
        "scores: a byte costs what a character does",
        "scores.py",
        "-self.logprob / self.bytes / NATS_PER_BIT if self.bytes",
        "-self.logprob / self.characters / NATS_PER_BIT if self.bytes",
        SCORES,
    ),
    Mutant(
        "scores: a character costs what a token does",
        "scores.py",
        "-self.logprob / self.characters / NATS_PER_BIT if",
        "-self.logprob / self.tokens / NATS_PER_BIT if",
        SCORES,
    ),
    Mutant(
        "scores: the perplexity of words is that of tokens",
        "scores.py",
        "return perplexity(-self.logprob / self.words)",
        "return perplexity(-self.logprob / self.tokens)",
        SCORES,
    ),
    Mutant(
        "scores: the score without the end has it",
        "scores.py",
        "logprob_without_eos=float(logprobs[:-1].sum())",
        "logprob_without_eos=float(logprobs.sum())",
        SCORES,
    ),
    Mutant(
        "scores: the score without unknown tokens is that of them alone",
        "scores.py",
        "logprobs[~unknown].sum()",
        "logprobs[unknown].sum()",
        SCORES,
    ),
    Mutant(
        "scores: an unknown word has all of what it shares",
        "scores.py",
        "logprobs - math.log(unk_vocabulary), logprobs)",
        "logprobs, logprobs)",
        COMMANDS,
    ),
    Mutant(
        "scores: every word has a share of the unknown one's probability",
        "scores.py",
        "np.where(unknown, logprobs - math.log(unk_vocabulary), logprobs)",
        "logprobs - math.log(unk_vocabulary)",
        COMMANDS,
    ),
    Mutant(
        "scores: eval's unknown words share nothing",
        "evaluation.py",
        "found.nats + found.unknown * math.log(unk_vocabulary)",
        "found.nats",
        COMMANDS,
    ),
    Mutant(
        "scores: the distribution's entropy is a sum of probabilities",
        "scoring.py",
        "-np.sum(np.exp(distribution) * distribution, axis=0)",
        "-np.sum(distribution, axis=0)",
        ("nn/test_scoring.py",),
    ),
]
