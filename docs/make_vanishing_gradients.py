"""The experiment of docs/vanishing-gradients.md: train blocks of equal size on `corpora/agreement.py`, and measure.

    python docs/make_vanishing_gradients.py             # train and measure (16 minutes on two cores), then write
    python docs/make_vanishing_gradients.py --resume    # the same, without the trainings whose figures are there
    python docs/make_vanishing_gradients.py --write     # write tables and plots again from the figures there are

Each block is trained with every learning rate from three seeds; its best rate is the one of the lowest mean validation
loss. What was measured goes into `vanishing-gradients.json`; from there the tables between the marks in the page are
written, and the plots. The prose around them is written by hand.
"""

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

# Small models gain nothing from a second thread of BLAS; a second run beside them does. Before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "corpora"))  # this folder holds texts and what makes them; it is no package

import agreement  # noqa: E402 - the environment comes first
import numpy as np  # noqa: E402 - likewise
from page_tables import with_tables  # noqa: E402 - likewise

import charlm  # noqa: E402 - likewise
from charlm.config import ModelConfig  # noqa: E402 - likewise
from charlm.curves import Curve  # noqa: E402 - likewise
from charlm.gradients import measure  # noqa: E402 - likewise
from charlm.machine import fingerprint  # noqa: E402 - likewise
from charlm.nn.language_model import LanguageModel, parameter_specs  # noqa: E402 - likewise
from charlm.plots import write_curves  # noqa: E402 - likewise

PAGE, FIGURES = HERE / "vanishing-gradients.md", HERE / "vanishing-gradients.json"


class Contestant(NamedTuple):
    """A block as it is named in the page, and the options that make it."""

    name: str
    options: dict[str, str]


CONTESTANTS = (
    Contestant("RNN, tanh", {"cell": "rnn"}),
    Contestant("RNN, ReLU", {"cell": "rnn", "activation": "relu"}),
    Contestant("GRU", {"cell": "gru"}),
    Contestant("LSTM", {"cell": "lstm"}),
    Contestant("SRU", {"cell": "sru"}),
    Contestant("minGRU", {"cell": "mingru"}),
)
SENTENCES, TEXT_SEED, EPOCHS = 40_000, 1, 6
EMBEDDING, LSTM_HIDDEN = 64, 64
RATES = (2e-3, 4e-3, 8e-3, 16e-3)
SEEDS = (1, 2, 3)
PAIRS, PAIR_SEED = 2_000, 7
LAGS, POSITIONS = 20, 1_024
FRESH, FRESH_SEED = 30_000, 99  # so many that all positions measured at have LAGS words before them
BINS = ((3, 5), (6, 8), (9, 11), (12, 14), (15, 99))
SHOWN_LAGS = (1, 2, 5, 10, 15, 20)


def text() -> str:
    """What all models are trained on."""
    return "\n".join(agreement.sentences(SENTENCES, TEXT_SEED)) + "\n"


def hidden_of(options: Mapping[str, str], vocabulary: int) -> int:
    """How many units give a block the number of parameters nearest to that of the LSTM."""

    def parameters(cell: str, chosen: Mapping[str, str], hidden: int) -> int:
        config = ModelConfig(vocabulary, cell, chosen, hidden=hidden, embedding=EMBEDDING)
        return sum(math.prod(spec.shape) for spec in parameter_specs(config))

    chosen = {name: value for name, value in options.items() if name != "cell"}
    wanted = parameters("lstm", {}, LSTM_HIDDEN)
    return min(range(8, 512), key=lambda hidden: abs(parameters(options["cell"], chosen, hidden) - wanted))


def train(contestant: Contestant, rate: float, seed: int) -> dict[str, Any]:
    """Train one model and measure it."""
    sentences = agreement.sentences(SENTENCES, TEXT_SEED)
    words = len({word for sentence in sentences for word in agreement.tokens_of(sentence)})
    hidden = hidden_of(contestant.options, words + 2)  # <EOS> and <UNK>
    model = charlm.train(
        text=text(),
        level="word",
        min_count=1,
        independent_lines=True,
        hidden=hidden,
        embedding=EMBEDDING,
        window=32,
        batch=32,
        epochs=EPOCHS,
        dropout=0.0,
        lr=rate,
        seed=seed,
        **contestant.options,  # type: ignore[arg-type]  # all of them are text
    )
    network = model.trained.network
    fresh = "\n".join(agreement.sentences(FRESH, FRESH_SEED)) + "\n"
    ids = model.trained.tokenizer.encode(fresh)
    untrained = LanguageModel(network.config)
    untrained.initialize(seed)
    return {
        "name": contestant.name,
        "rate": rate,
        "seed": seed,
        "hidden": hidden,
        "parameters": len(network.parameters),
        "valid": model.trained.record["valid_nats_per_token"],
        "accuracy": accuracy(model),
        "before": gradients(untrained, ids, model.trained.tokenizer.line_end_id),
        "after": gradients(network, ids, model.trained.tokenizer.line_end_id),
    }


def accuracy(model: charlm.Model) -> list[list[int]]:
    """For each bin of distances: pairs judged rightly, and pairs."""
    judged = [[0, 0] for _ in BINS]
    for kind in ("prepositional", "relative"):
        pairs = agreement.minimal_pairs(kind, PAIRS, PAIR_SEED)
        scores = model.score([sentence for pair in pairs for sentence in (pair.right, pair.wrong)])
        for pair, right, wrong in zip(pairs, scores[::2], scores[1::2], strict=True):
            place = next(i for i, (low, high) in enumerate(BINS) if low <= pair.distance <= high)
            judged[place][0] += right.logprob > wrong.logprob
            judged[place][1] += 1
    return judged


def gradients(network: LanguageModel, ids: Any, line_end: int | None) -> dict[str, list[float]]:
    """Norms by lag for each part of the state, all of them over the same positions."""
    found = measure(network, ids, line_end=line_end, lags=LAGS, positions=POSITIONS)
    if (found.lags, found.positions) != (LAGS, POSITIONS):
        raise ValueError(f"only {found.positions} positions have {found.lags} words before them: draw more sentences")
    return {decay.part: decay.norms.tolist() for decay in found.decays}


Runs = Sequence[Mapping[str, Any]]


def run(known: Runs) -> dict[str, Any]:
    """All trainings that are not known yet, two at a time; figures are written as they come."""
    jobs = [(c, rate, seed) for c in CONTESTANTS for rate in RATES for seed in SEEDS]
    kept = {(each["name"], each["rate"], each["seed"]): each for each in known}
    found = {"made_with": fingerprint(), "runs": [kept[key] for key in map(_key, jobs) if key in kept]}
    with ProcessPoolExecutor(2) as pool:
        for each in pool.map(_train, [job for job in jobs if _key(job) not in kept]):
            kept[each["name"], each["rate"], each["seed"]] = each
            found["runs"] = [kept[key] for key in map(_key, jobs) if key in kept]
            FIGURES.write_text(json.dumps(found) + "\n", encoding="utf-8")
    return found


def _key(job: tuple[Contestant, float, int]) -> tuple[str, float, int]:
    return (job[0].name, *job[1:])


def _train(job: tuple[Contestant, float, int]) -> dict[str, Any]:
    found = train(*job)
    print(f"{found['name']}, rate {found['rate']}, seed {found['seed']}: {found['valid']:.4f}", flush=True)  # noqa: T201 - progress
    return found


def by_rate(figures: Mapping[str, Any], name: str) -> dict[float, Runs]:
    """The runs of a block by their learning rate."""
    return {rate: [r for r in figures["runs"] if (r["name"], r["rate"]) == (name, rate)] for rate in RATES}


def best(figures: Mapping[str, Any], name: str) -> Runs:
    """The runs of a block with its best learning rate."""
    return min(by_rate(figures, name).values(), key=lambda runs: statistics.mean(run["valid"] for run in runs))


def mean_and_spread(values: Sequence[float], form: str) -> str:
    """Mean and standard deviation over the seeds."""
    return f"{statistics.mean(values):{form}} ± {statistics.stdev(values):{form}}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables(figures: Mapping[str, Any]) -> dict[str, str]:
    """What stands between the marks of the page."""
    names = [c.name for c in CONTESTANTS]
    found = {
        "blocks": table(
            ["block", "units", "parameters", "best learning rate"],
            ([n, *(f"{best(figures, n)[0][key]:,}" for key in ("hidden", "parameters", "rate"))] for n in names),
        ),
        "loss": table(
            ["block", *(f"{rate:g}" for rate in RATES)],
            (
                [n, *(mean_and_spread([r["valid"] for r in runs], ".3f") for runs in by_rate(figures, n).values())]
                for n in names
            ),
        ),
        "pairs": ", ".join(
            f"{figures['runs'][0]['accuracy'][place][1]:,} of {_bin_name(place)}" for place in range(len(BINS))
        ),
        "best": _accuracy_table({n: best(figures, n) for n in names}),
        "before": _lag_table({n: best(figures, n) for n in names}, "before"),
        "after": _lag_table({n: best(figures, n) for n in names}, "after"),
    }
    return found | {f"{rate:g}": _accuracy_table({n: by_rate(figures, n)[rate] for n in names}) for rate in RATES}


def _accuracy_table(runs: Mapping[str, Runs]) -> str:
    places = range(len(BINS))
    rows = ([name, *(mean_and_spread(_shares(each, place), ".1%") for place in places)] for name, each in runs.items())
    return table(["block", *map(_bin_name, places)], rows)


def _bin_name(place: int) -> str:
    low, high = BINS[place]
    return f"{low} to {high}" if place < len(BINS) - 1 else f"{low} and more"


def _shares(runs: Runs, place: int) -> list[float]:
    return [run["accuracy"][place][0] / run["accuracy"][place][1] for run in runs]


def _lag_table(by_name: Mapping[str, Runs], when: str) -> str:
    rows = []
    for name, runs in by_name.items():
        for part in runs[0][when]:
            symbol = {"hidden": "dL/dh", "cell": "dL/dc"}[part]
            norms = ([run[when][part][lag - 1] for run in runs] for lag in SHOWN_LAGS)
            rows.append([f"{name}, {symbol}", *(mean_and_spread(each, ".1e") for each in norms)])
    return table(["block", *(f"lag {lag}" for lag in SHOWN_LAGS)], rows)


def write(figures: Mapping[str, Any]) -> None:
    """Put the tables into the page, and write the plots."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(figures)), encoding="utf-8")
    names = [c.name for c in CONTESTANTS]
    for which, title, runs_of in (
        ("best", "best learning rate", {name: best(figures, name) for name in names}),
        ("slowest", f"learning rate {RATES[0]:g}", {name: by_rate(figures, name)[RATES[0]] for name in names}),
    ):
        _plot_accuracy(HERE / f"vanishing-gradients-{which}.svg", title, runs_of)
    for when, title in (("before", "before training"), ("after", "after training")):
        curves = []
        for name in (c.name for c in CONTESTANTS):
            runs = best(figures, name)
            # The part of the state that carries: the cell where there is one.
            part = list(runs[0][when])[-1]
            norms = np.array([run[when][part] for run in runs])
            band = (norms.min(axis=0).tolist(), norms.max(axis=0).tolist())
            curves.append(Curve.counted(name, norms.mean(axis=0).tolist(), band))
        write_curves(
            HERE / f"vanishing-gradients-{when}.svg",
            curves,
            title=f"Gradient of a prediction by the state before it, {title}",
            across="lag k, in words",
            up="mean norm of dL/dh, or dL/dc",
        )


def _plot_accuracy(path: Path, title: str, runs_of: Mapping[str, Runs]) -> None:
    shares = {
        name: np.array([_shares(runs, place) for place in range(len(BINS))]) for name, runs in runs_of.items()
    }  # [bins, seeds]
    write_curves(
        path,
        [
            Curve.counted(name, each.mean(axis=1).tolist(), (each.min(axis=1).tolist(), each.max(axis=1).tolist()))
            for name, each in shares.items()
        ],
        title=f"Pairs judged rightly, {title}",
        across="words between subject and verb",
        up="share of the pairs",
        ticks=[_bin_name(place) for place in range(len(BINS))],
        log=False,
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="The experiment of docs/vanishing-gradients.md.")
    parser.add_argument("--write", action="store_true", help="write again from the figures there are; train nothing")
    parser.add_argument("--resume", action="store_true", help="keep the figures there are")
    options = parser.parse_args()
    there = options.write or options.resume
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if there else {"runs": []}
    write(figures if options.write else run(figures["runs"]))


if __name__ == "__main__":
    main()
