"""``charlm eval``: what a text costs under a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from charlm.cli.console import note, result, result_json
from charlm.cli.find import JsonOption, ModelOption, load
from charlm.errors import InputError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.text.parts import Part


def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A text. Default: the validation part of the model's own corpus.", show_default=False, readable=False
        ),
    ] = None,
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
    as_json: JsonOption = False,
) -> None:
    """Cost of a text under a model: nats, bits and perplexity, as validation in training counts them."""
    from charlm.scores import evaluate_part  # noqa: PLC0415 - NumPy is loaded only when it is used

    trained = load(model)
    part = _own_part(trained) if file is None else _file_part(trained, file, encoding)
    found = evaluate_part(trained, part, exact=exact)
    if as_json:
        result_json(found.to_json())
        return
    for name, value in (
        ("tokens", f"{found.tokens:,}"),
        ("nats per token", f"{found.nats_per_token:.4f}"),
        ("bits per token", f"{found.bits_per_token:.4f}"),
        ("bits per character", "none" if found.bits_per_char is None else f"{found.bits_per_char:.4f}"),
        ("bits per byte", f"{found.bits_per_byte:.4f}"),
        ("perplexity", f"{found.perplexity:.4f}"),
        ("unknown tokens", f"{found.oov:,}"),
    ):
        result(f"{name:<20} {value:>14}")
    if found.oov and found.nats_per_token_without_oov is not None:
        result(f"{'nats without unknown':<20} {found.nats_per_token_without_oov:>14.4f}")


def _file_part(trained: "TrainedModel", file: Path, encoding: str | None) -> "Part":
    from charlm.text.corpus import encode_texts  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.sources import one_file  # noqa: PLC0415 - likewise

    return encode_texts(
        one_file(file),
        tokenizer=trained.tokenizer,
        encoding=encoding or trained.text.encoding,
        independent_lines=trained.text.independent_lines,
    )


def _own_part(trained: "TrainedModel") -> "Part":
    """The validation part of the corpus that the model was trained on, split again as it was then."""
    from charlm.text.corpus import prepare  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.sources import one_file  # noqa: PLC0415 - likewise

    about, text = trained.record["corpus"], trained.text
    path, valid = Path(about["path"]), about["valid_path"]
    if not path.exists():
        raise InputError(f"the model's corpus {path} is not here: name a text with charlm eval FILE")
    note(f"evaluating the validation part of {valid or path}")
    corpus = prepare(
        one_file(path),
        encoding=text.encoding,
        independent_lines=text.independent_lines,
        valid_texts=None if valid is None else one_file(Path(valid)),
        valid_fraction=text.valid_fraction,
        seed=trained.record["train"]["seed"],
        tokenizer=trained.tokenizer,
    )
    if (corpus.digest, corpus.valid_digest) != (about["digest"], about["valid_digest"]):
        raise InputError(f"{path} has changed since the model was trained on it: name a text with charlm eval FILE")
    return corpus.valid
