"""``charlm eval``: what a text costs under a model."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.adaptation import ADAPTING, adapted, check_apart, taken
from charlm.cli.choices import with_options
from charlm.cli.console import note, printable, result, result_json
from charlm.cli.find import JsonOption, ModelOption, UnkVocabularyOption, load, locate
from charlm.cli.following import following_tokens
from charlm.cli.inputs import find_texts
from charlm.cli.posterior import PriorOption, check_prior
from charlm.cli.preparing import preparing
from charlm.config import require

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.evaluation import EvaluationResult
    from charlm.scorer import Scorer
    from charlm.text.parts import Part
    from charlm.training.setup import Recorded

FIGURES = {"accuracy": "accuracy", "macro_f1": "macro F1", "prior": "prior"}
"""How well Bayes' rule does, by their names in JSON and in the table."""


CorpusArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Texts, as for train. Default: the validation part of the model's own corpus.", show_default=False
    ),
]


def _evaluate(
    corpus: CorpusArgument = None,
    model: ModelOption = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Read the text in one lane instead of several: slower, and nearly the same.",
        ),
    ] = False,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the file.", show_default="as trained")
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Also how often Bayes' rule finds the label of a line: accuracy, macro F1.")
    ] = False,
    prior: PriorOption = None,
    unk_vocabulary: UnkVocabularyOption = 1,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Cost of a text under a model: nats, bits and perplexity, as validation in training counts them.

    Where the model has labels, every line has one, and is read under it.
    """
    require("--unk-vocabulary", unk_vocabulary, minimum=1)
    asked = taken(given)
    check_apart(asked, {"--labels": labels})
    path = locate(model)
    trained = load(path)
    check_prior(prior, asked=labels, flag="--labels", has_labels=trained.labels is not None)
    scorer = adapted(trained, path, asked)
    part = part_of(trained, corpus, encoding) if corpus else own_part(trained, "evaluating")
    costs = costs_by_file(
        trained, part, corpus or [], encoding, exact=exact, unk_vocabulary=unk_vocabulary, scorer=scorer
    )
    show_costs(*costs, _judged(trained, part, prior) if labels else {}, as_json=as_json)


def costs_by_file(
    trained: "Recorded",
    part: "Part",
    corpus: list[str],
    encoding: str | None,
    *,
    exact: bool = False,
    unk_vocabulary: int = 1,
    scorer: "Scorer | None" = None,
) -> "tuple[EvaluationResult, dict[str, tuple[float, int]]]":
    """What a text costs, and of each of its files, where it has several, nats and tokens.

    Args:
        trained: how the text was read.
        part: the text.
        corpus: its files, as they were named.
        encoding: of them.
        exact: read in one lane.
        unk_vocabulary: how many tokens share the probability of <UNK> evenly.
        scorer: whose probabilities; None for those of ``trained``.
    """
    from charlm.evaluation import evaluate_part  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.scoring import Parts  # noqa: PLC0415 - likewise

    files = _files(trained, corpus, encoding)
    sizes = list(files.values()) if len(files) > 1 else [len(part)]
    with following_tokens(len(part)) as passed:
        by_part = Parts(sizes, passed) if passed or len(sizes) > 1 else None
        found = evaluate_part(scorer or trained, part, exact=exact, by_part=by_part, unk_vocabulary=unk_vocabulary)
    if by_part is None or len(sizes) == 1:
        return found, {}
    pairs = zip(by_part.nats.tolist(), by_part.tokens.tolist(), strict=True)
    return found, dict(zip(files, pairs, strict=True))


def show_costs(
    found: "EvaluationResult",
    costs: dict[str, tuple[float, int]],
    figures: dict[str, float | str],
    *,
    as_json: bool,
) -> None:
    """Print what a text costs, what each of its files does, and further figures."""
    if as_json:
        each = [{"file": name, "tokens": n, "nats": nats} for name, (nats, n) in costs.items()]
        result_json(found.to_json() | ({"files": each} if each else {}) | figures)
        return
    for name, value in (
        ("tokens", f"{found.tokens:,}"),
        ("nats per token", f"{found.nats_per_token:.4f}"),
        ("bits per token", f"{found.bits_per_token:.4f}"),
        ("bits per character", "none" if found.bits_per_char is None else f"{found.bits_per_char:.4f}"),
        ("bits per byte", f"{found.bits_per_byte:.4f}"),
        ("perplexity", f"{found.perplexity:.4f}"),
        ("perplexity of words", f"{found.word_perplexity:.4f}"),
        ("unknown tokens", f"{found.oov:,}"),
        *((FIGURES[name], each if isinstance(each, str) else f"{each:.4f}") for name, each in figures.items()),
    ):
        result(f"{name:<20} {value:>14}")
    for name, (nats, tokens) in costs.items():
        cost = f"{nats / tokens:.4f} nats a token of {tokens:,}" if tokens else "no text"
        result(f"  {printable(name)}: {cost}")
    if not found.oov:
        return
    if found.nats_per_token_without_oov is not None:
        result(f"{'nats without unknown':<20} {found.nats_per_token_without_oov:>14.4f}")
    note(
        f"{found.oov / found.tokens:.1%} of the tokens are unknown, and "
        + (
            f"{found.unk_vocabulary:,} share the probability of <UNK>"
            if found.unk_vocabulary > 1
            else "how they are spelt costs nothing here: the figures do not compare with those of a model that knows "
            "other tokens (--unk-vocabulary)"
        )
    )


def _judged(trained: "TrainedModel", part: "Part", prior: str | None) -> dict[str, float | str]:
    """How well Bayes' rule finds the lines' labels."""
    from charlm.bayes import PRIORS, judge  # noqa: PLC0415 - NumPy is loaded only when it is used

    prior = prior or PRIORS[0]
    found = judge(trained, part, prior)
    return {"accuracy": found.accuracy, "macro_f1": found.macro_f1, "prior": prior}


def _files(trained: "Recorded", corpus: list[str], encoding: str | None) -> dict[str, int]:
    """Files that are evaluated, and how many of the tokens are of each; none for a pipe, or a part of a corpus."""
    from charlm.text import sources  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.corpus import token_counts  # noqa: PLC0415 - likewise
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    if "-" in corpus:
        return {}
    encoding = encoding or trained.text.encoding
    names = corpus or trained.record["corpus"]["valid_paths"] or []
    # Not those of the command line, which would say once more what they leave out.
    texts = sources.find_texts(names, encoding=read_as(trained.text.level, encoding)) if names else None
    if texts is None or not texts.rereadable or len(texts.sources) == 1:
        return {}
    lines = trained.text.independent_lines
    counts = token_counts(
        texts,
        tokenizer=trained.tokenizer,
        encoding=encoding,
        independent_lines=lines,
        labels=trained.label_names,
    )
    return {source.name: count for source, count in zip(texts.sources, counts, strict=True)}


def part_of(trained: "Recorded", corpus: list[str], encoding: str | None) -> "Part":
    """Texts named on the command line, as the model reads them."""
    from charlm.text.corpus import encode_texts  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    encoding = encoding or trained.text.encoding
    with preparing(quiet=False) as watched:
        return encode_texts(
            watched(find_texts(corpus, read_as(trained.text.level, encoding))),
            tokenizer=trained.tokenizer,
            encoding=encoding,
            independent_lines=trained.text.independent_lines,
            labels=trained.label_names,
        )


def own_part(trained: "Recorded", doing: str) -> "Part":
    """The validation part of the corpus that the model was trained on; what is done with it is said."""
    from charlm.training import setup  # noqa: PLC0415 - NumPy is loaded only when it is used

    texts, valid = setup.own_texts(trained)
    note(f"{doing} the validation part of {(valid or texts).name}")
    with preparing(quiet=False) as watched:
        return setup.own_part(trained, watched(texts), valid)


evaluate = with_options(_evaluate, ADAPTING)
"""The command."""
