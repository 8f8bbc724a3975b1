"""How fast n-gram models score lines, beside KenLM's Python module: `python tests/bench ngrams`.

charlm counts nine tenths of a text, whose lines are texts of their own, and writes the model as its own file and as an
ARPA file. charlm and KenLM score the lines that are held out, and so does a recurrent network if one is given; they
take turns, each in a process of its own. KenLM gets each line's tokens with spaces between them; charlm cuts the lines
itself. Of unknown tokens both hold that they cost what <unk> costs; the second perplexity is that of the others.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.cases import Side
from bench.held_out import FIRST, KNOWN, PERPLEXITY, TOKENS
from bench.machine import description, load_average, probe
from bench.measuring import PAUSE, Worker, WorkerError
from bench.ngram_files import LEVELS, SENTENCES, Files, check_network, counted, grammar, write_files
from bench.report import number
from charlm.checkpoint import load_model
from charlm.errors import CharlmError
from charlm.ngram.model import NGramModel
from charlm.text.corpus import Corpus

STEPS, LOADINGS = 6, 2
"""Of a turn; the first is not counted."""
MOST_LOADING = 3
"""Turns: charlm takes its time for an ARPA file."""
AGREEMENT = 1e-5
"""How far the perplexities of charlm and KenLM may be from one another, as a share."""
KENLM, NETWORK = "KenLM, `score`", "charlm, the network"
"""The side that the others are held against, and the one that is no n-gram model."""
MISSING = "KenLM's module is not installed, and is left out: pip install -e '.[kenlm]' (it is compiled there)"


class Measured(NamedTuple):
    """What was measured of a side.

    Attributes:
        seconds: for each token, or for each loading, the median of each turn.
        processor: likewise, of the processor's time, all threads together.
        megabytes: peak memory of the process.
        figures: what it says of the lines, see ``bench.held_out``; none where it only loads.
    """

    seconds: list[float]
    processor: list[float]
    megabytes: float
    figures: Mapping[str, float]


def kenlm_version() -> str | None:
    """The version of KenLM's Python module, or None where it is not installed."""
    try:
        return version("kenlm")
    except PackageNotFoundError:
        return None


def sides(files: Files, level: str, network: Path | None, *, kenlm: bool) -> tuple[dict[str, Side], dict[str, Side]]:
    """Who scores the lines, and who loads the model, by name."""
    mine = {"model": files.own, "lines": files.text}
    theirs = {"model": files.arpa, "lines": files.words}
    scoring, loading = {}, {}
    if kenlm:
        scoring[KENLM] = Side("kenlm", "scoring", theirs)
        scoring["KenLM, `full_scores`"] = Side("kenlm", "full_scoring", theirs)
        loading["KenLM, ARPA"] = Side("kenlm", "loading", {"model": files.arpa})
    scoring["charlm, `judge_lines`"] = Side("ngrams", "judging", mine)
    scoring["charlm, as `charlm ngram score --file`"] = Side("ngrams", "command", mine)
    loading["charlm, ARPA"] = Side("ngrams", "loading_arpa", {"model": files.arpa, "level": level})
    loading["charlm, its own file"] = Side("ngrams", "loading", {"model": files.own})
    if network is not None:
        scoring[NETWORK] = Side("ngrams", "network", {**mine, "model": str(network)})
    return scoring, loading


def measure(given: Mapping[str, Side], turns: int, steps: int) -> dict[str, Measured]:
    """Have sides take turns; which of them is first goes round.

    Raises:
        WorkerError: a side has failed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in given}
    processor: dict[str, list[float]] = {name: [] for name in given}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(side, {})) for name, side in given.items()}
        order = list(workers)
        for _ in range(turns):
            for name in order:
                time.sleep(PAUSE)
                seconds[name].append(median(workers[name].turn(steps)))
                processor[name].append(median(workers[name].processor))
            order = [*order[1:], order[0]]
        return {
            name: Measured(seconds[name], processor[name], each.megabytes, each.figures)
            for name, each in workers.items()
        }


def scoring_table(found: Mapping[str, Measured]) -> str:
    """Speed and perplexities, in Markdown; ratios where KenLM's ``score`` is there."""
    head = ["by", "tokens/s", "to KenLM's `score` (turns)", "tokens a second of the processor", "to KenLM's (turns)"]
    head += ["first pass, tokens/s", "perplexity", "without unknown tokens", "peak MB"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for name, each in found.items():
        peer, cells = found.get(KENLM), [name]
        cells += [number(1 / median(each.seconds)), _ratio(peer and peer.seconds, each.seconds)]
        cells += [number(1 / median(each.processor)), _ratio(peer and peer.processor, each.processor)]
        cells += [number(each.figures[TOKENS] / each.figures[FIRST])]
        cells += [f"{each.figures[figure]:.5f}" for figure in (PERPLEXITY, KNOWN)]
        lines.append(f"| {' | '.join([*cells, number(each.megabytes)])} |")
    return "\n".join(lines)


def loading_table(found: Mapping[str, Measured], sizes: Mapping[str, int]) -> str:
    """Seconds and peak memory, in Markdown, beside the size of the file in bytes."""
    lines = ["| loading | file, MB | seconds | peak MB |", "| --- | --- | --- | --- |"]
    for name, each in found.items():
        lines.append(
            f"| {name} | {number(sizes[name] / 1e6)} | {number(median(each.seconds))} | {number(each.megabytes)} |"
        )
    return "\n".join(lines)


def _ratio(peer: list[float] | None, own: list[float]) -> str:
    if peer is None:
        return ""
    turns = [theirs / mine for theirs, mine in zip(peer, own, strict=True)]
    return f"{median(turns):.2f} ({min(turns):.2f}-{max(turns):.2f})"


def disagreement(found: Mapping[str, Measured]) -> float:
    """The largest difference between the n-gram models' perplexities, as a share."""
    counting = [each.figures for name, each in found.items() if name != NETWORK]
    pairs = [(each[figure], counting[0][figure]) for each in counting for figure in (PERPLEXITY, KNOWN)]
    return max(abs(one - other) / min(one, other) for one, other in pairs)


def compare(text: Path, level: str, network: Path | None, turns: int) -> None:
    """Measure a level, and print what came out.

    Raises:
        CharlmError: the text or the network cannot be used.
        WorkerError: a side has failed, or the perplexities are not the same.
    """
    model, corpus = counted(text, level)
    if network is not None:
        check_network(load_model(network), model)
    with tempfile.TemporaryDirectory(prefix="charlm-bench-") as folder:
        files = write_files(Path(folder), model, corpus)
        scoring, loading = sides(files, level, network, kenlm=kenlm_version() is not None)
        sizes = {name: Path(str(side.arguments["model"])).stat().st_size for name, side in loading.items()}
        found, loaded = measure(scoring, turns, STEPS), measure(loading, min(turns, MOST_LOADING), LOADINGS)
    print(f"\n### {level}, order {model.trie.order}\n\n{_about(model, corpus)}\n")
    print(scoring_table(found), loading_table(loaded, sizes), sep="\n\n")
    apart = disagreement(found)
    print(f"\nThe n-gram models' perplexities are at most {apart:.1e} apart, as a share.", flush=True)
    if apart > AGREEMENT:
        raise WorkerError(
            f"perplexities of the same model on the same lines are {apart:.1e} apart, and not {AGREEMENT}"
        )


def _about(model: NGramModel, corpus: Corpus) -> str:
    """What was counted, and what is scored."""
    grams = ", ".join(f"{model.trie.size(order):,}" for order in range(1, model.trie.order + 1))
    held = corpus.valid
    return (
        f"{len(corpus.train):,} tokens counted: {grams} n-grams of 1 to {model.trie.order} tokens. "
        f"{held.lines:,} lines of {len(held):,} tokens scored, {held.unknown:,} of them unknown."
    )


def main(words: Sequence[str]) -> None:
    """Compare each level, and print the tables."""
    parser = argparse.ArgumentParser(prog="python tests/bench ngrams", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--text", type=Path, help=f"text to count and score (default: {SENTENCES} sentences of a grammar)"
    )
    parser.add_argument("--model", type=Path, help="a network trained on the same text, with --independent-lines")
    parser.add_argument("--level", choices=tuple(LEVELS), help="one level only; with --model, its level")
    parser.add_argument("--turns", type=int, default=7, help="turns of each side (default: %(default)s)")
    options = parser.parse_args(words)
    if options.turns < 1:
        parser.error(f"--turns is {options.turns}: it must be at least 1")
    try:
        network = None if options.model is None else load_model(options.model).text.level
        levels = [network or options.level] if network or options.level else list(LEVELS)
        if levels[0] not in LEVELS or options.level not in (None, *levels):
            parser.error(f"--model is of the level {network}: it goes with {' or '.join(LEVELS)}, and no other --level")
        with tempfile.TemporaryDirectory(prefix="charlm-bench-") as folder:
            text = options.text or grammar(Path(folder))
            print(description(probe({}), None, load_average()), f"KenLM's module {kenlm_version() or 'missing'}.")
            if kenlm_version() is None:
                print(MISSING, file=sys.stderr)
            for level in levels:
                compare(text, level, options.model if level == network else None, options.turns)
    except CharlmError as error:
        parser.exit(error.exit_status, f"{parser.prog}: {error}\n")
    except WorkerError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
