"""`python tests/bench`: which cases, how long, and where the figures go."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from bench.cases import AVX2, FREE, KERNELS, USUAL_PLAN, Case, Plan, every_case
from bench.machine import LOAD, avx2_kernel, description, kernels_name, load_average, probe, torch_version
from bench.measuring import Turns, WorkerError, measure
from bench.report import Outcome, report, spliced
from bench.results import as_json, result_of
from charlm.errors import OutputError

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
ALONE = ("bag-of-words", "blocks", "ngrams", "profile", "stream", "tricks")
"""What has options of its own; each is a module."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = argparse.ArgumentParser(
        prog="python tests/bench",
        description="Measure charlm against PyTorch: both sides take turns in processes of their own. A full run takes "
        "about half an hour, and nothing else should run meanwhile. Figures go to build/bench.json; a full run also "
        "writes its tables into docs/performance.md.",
        epilog="python tests/bench blocks: what a training step of each block costs. "
        "python tests/bench tricks: what each trick of the engine brings. "
        "python tests/bench profile: where the time of a step goes. "
        "python tests/bench stream: what a character of one stream costs at least. "
        "python tests/bench ngrams: how fast n-gram models score lines, beside KenLM's. "
        "python tests/bench bag-of-words: how well counting words classifies texts.",
    )
    found.add_argument("--turns", type=int, help="turns of each side; otherwise as many as the case needs, at least 5")
    found.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cases whose name has all of these words")
    found.add_argument(
        "--kernels", nargs="+", choices=KERNELS, default=list(KERNELS), help="which kernels to train with"
    )
    found.add_argument("--quick", action="store_true", help="one turn of one counted step, to see that it runs")
    found.add_argument("--list", action="store_true", help="show the names of the cases and their floors")
    return found


def main(words: Sequence[str], root: Path = ROOT, measured: Callable[[Case, Plan], Turns] = measure) -> int:
    """Run what the words ask for.

    Args:
        words: of the command line.
        root: the project's folder; what is written goes below it.
        measured: measures a case.

    Returns:
        The exit status: 0, 1 where a case failed, 5 where the figures cannot be written, 130 where it was interrupted.
    """
    if words and words[0] in ALONE:
        # Not above: the parent of all workers stays small without NumPy.
        import_module(f"bench.{words[0].replace('-', '_')}").main(words[1:])
        return 0
    options = parser()
    arguments = options.parse_args(words)
    if arguments.turns is not None and arguments.turns < 1:
        options.error(f"--turns is {arguments.turns}: it must be at least 1")
    free = probe(KERNELS[FREE])
    held = avx2_kernel()
    if held is None:
        arguments.kernels = [name for name in arguments.kernels if name != AVX2]
        _note(f"without {AVX2}: this machine's BLAS cannot be held to it")
    cases = [each for each in every_case(kernels_name(free["kernel"])) if _is_chosen(each, arguments)]
    if not cases:
        options.error(f"no case has all of the words {' '.join(arguments.only)} and these kernels: see --list")
    if arguments.list:
        for case in cases:
            print(f"{case.name}  (floor {case.floor:g})")
        return 0
    if torch_version() is None and any("torch" in (case.charlm.engine, case.peer.engine) for case in cases):
        options.error("PyTorch is not installed: make bench installs it, or pip install -e '.[bench]'")
    load = load_average()
    if load is not None and load > LOAD:
        _note(f"the load average is {load:.2f}: something else is at work, and the figures will show it")
    outcomes: list[Outcome] = []
    interrupted = _run(cases, outcomes, arguments, measured)
    status = _publish(root, outcomes, report(description(free, held, load), outcomes), arguments)
    return INTERRUPTED if interrupted else status


def _publish(root: Path, outcomes: Sequence[Outcome], text: str, arguments: argparse.Namespace) -> int:
    """Print the tables and write what is to be written; the exit status."""
    print(text)
    full = len(outcomes) == len(every_case()) and not arguments.quick
    full = full and (arguments.turns or USUAL_PLAN.least) >= USUAL_PLAN.least
    try:
        _write(root, outcomes, text if full else None)
    except (OutputError, OSError) as error:
        _note(str(error))
        return OutputError.exit_status
    return 1 if any(outcome.result is None for outcome in outcomes) else 0


def _is_chosen(case: Case, arguments: argparse.Namespace) -> bool:
    wanted = [KERNELS[name] for name in arguments.kernels]
    return all(word in case.name for word in arguments.only) and case.kernels in wanted


def _run(
    cases: Sequence[Case],
    outcomes: list[Outcome],
    arguments: argparse.Namespace,
    measured: Callable[[Case, Plan], Turns],
) -> bool:
    """Measure case by case and put what becomes of each into ``outcomes``; whether Ctrl-C ended it."""
    for place, case in enumerate(cases, 1):
        plan = case.plan
        if arguments.turns:
            plan = plan._replace(least=arguments.turns, most=arguments.turns)
        if arguments.quick:
            plan = Plan(steps=2, least=1, most=1)
        try:
            found = result_of(case, measured(case, plan))
        except WorkerError as error:
            outcomes.append(Outcome(case, None, str(error)))
            _note(f"[{place}/{len(cases)}] {case.name}: failed: {error}")
        except KeyboardInterrupt:
            _note(f"interrupted: {len(outcomes)} of {len(cases)} cases are there")
            return True
        else:
            outcomes.append(Outcome(case, found))
            below = "" if found.reached else ", below"
            _note(f"[{place}/{len(cases)}] {case.name}: {found.ratio:.2f} (floor {found.floor:g}{below})")
    return False


def _write(root: Path, outcomes: Sequence[Outcome], text: str | None) -> None:
    """Write the figures, and the tables into the page if there is ``text`` for it."""
    from charlm.files import write_atomically  # noqa: PLC0415 - the parent of all workers stays small without NumPy

    figures, page = root / "build" / "bench.json", root / "docs" / "performance.md"
    figures.parent.mkdir(exist_ok=True)
    advice = "Free some space or make the folder writable"
    write_atomically(figures, as_json(each.result for each in outcomes if each.result is not None), advice)
    _note(f"wrote {figures}")
    if text is not None:
        try:
            changed = spliced(page.read_text(encoding="utf-8"), text)
        except ValueError as error:
            _note(f"{page} stays as it is: {error}")
        else:
            write_atomically(page, changed.encode(), advice)
            _note(f"wrote {page}")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
