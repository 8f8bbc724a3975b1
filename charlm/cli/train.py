"""``charlm train``: from a text to a model."""

from pathlib import Path
from typing import Annotated

import typer

from charlm.cli.find import RUNS
from charlm.errors import UsageError


def _option(*names: str, text: str, default: str | None = None) -> typer.models.OptionInfo:
    # Whether a path can be read is found out, and said, where it is read.
    option: typer.models.OptionInfo = typer.Option(*names, help=text, show_default=default or False, readable=False)
    return option


def train(
    corpus: Annotated[Path | None, typer.Argument(help="A text file.", show_default=False, readable=False)] = None,
    model: Annotated[
        Path | None, _option("--model", "-m", text="Folder to write.", default="runs/<name of the corpus>")
    ] = None,
    valid: Annotated[
        Path | None, _option("--valid", text="Validate on this file instead of a part of the corpus.")
    ] = None,
    valid_fraction: Annotated[
        float | None,
        _option(
            "--valid-fraction",
            text="Share of the corpus kept for validation.",
            default="0.1, at most a million characters",
        ),
    ] = None,
    level: Annotated[str | None, _option("--level", text="What a token is: char or byte.", default="char")] = None,
    unit: Annotated[
        str | None,
        _option("--unit", text="What ends in <EOS>: line, paragraph or file.", default="line; file at byte level"),
    ] = None,
    independent_lines: Annotated[
        bool | None,
        typer.Option(
            "--independent-lines/--no-independent-lines",
            help="Whether every line is a text of its own.",
            show_default="if it looks like a list",
        ),
    ] = None,
    min_count: Annotated[
        int | None, _option("--min-count", text="Tokens seen less often become <UNK>.", default="1")
    ] = None,
    max_vocab: Annotated[
        int | None, _option("--max-vocab", text="Most tokens to have; rarer ones become <UNK>.")
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Turn the text to lower case.")] = False,
    encoding: Annotated[str | None, _option("--encoding", text="Encoding of the text.", default="utf-8")] = None,
    cell: Annotated[str | None, _option("--cell", text="Recurrent block: lstm, gru or rnn.", default="lstm")] = None,
    reset: Annotated[
        str | None, _option("--reset", text="GRU: reset gate before or after the product.", default="before")
    ] = None,
    activation: Annotated[str | None, _option("--activation", text="RNN: tanh or relu.", default="tanh")] = None,
    layers: Annotated[int | None, _option("--layers", text="Layers.", default="1")] = None,
    hidden: Annotated[int | None, _option("--hidden", text="Hidden units a layer.", default="by corpus size")] = None,
    embedding: Annotated[
        int | None, _option("--embedding", text="Size of a token's embedding.", default="by corpus size")
    ] = None,
    window: Annotated[
        int | None, _option("--window", text="Steps of truncated backpropagation.", default="by corpus size")
    ] = None,
    batch: Annotated[
        int | None, _option("--batch", text="Lanes trained side by side.", default="by corpus size")
    ] = None,
    epochs: Annotated[
        float | None,
        _option("--epochs", text="Length of the run in passes over the corpus.", default="by corpus size"),
    ] = None,
    steps: Annotated[int | None, _option("--steps", text="Length of the run in steps.")] = None,
    time: Annotated[str | None, _option("--time", text="Length of the whole command, such as 90s, 5m or 1h.")] = None,
    optimizer: Annotated[str | None, _option("--optimizer", text="adamw, sgd or rmsprop.", default="adamw")] = None,
    lr: Annotated[float | None, _option("--lr", text="Highest learning rate.", default="by corpus size")] = None,
    schedule: Annotated[
        str | None,
        _option(
            "--schedule",
            text="Learning rate after the warm-up: cosine, linear or constant.",
            default="cosine",
        ),
    ] = None,
    warmup: Annotated[
        float | None,
        _option("--warmup", text="Share of the run over which the learning rate rises.", default="0.05"),
    ] = None,
    clip: Annotated[float | None, _option("--clip", text="Largest norm of the gradient.", default="1.0")] = None,
    dropout: Annotated[
        float | None,
        _option("--dropout", text="Share of each layer's outputs dropped.", default="by corpus size"),
    ] = None,
    weight_decay: Annotated[
        float | None, _option("--weight-decay", text="Decoupled weight decay.", default="by corpus size")
    ] = None,
    seed: Annotated[int | None, _option("--seed", text="The same seed gives the same model.", default="1")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was stopped, as it was begun.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model in the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Train a model on a text. Ctrl-C stops it with the work saved; --resume goes on."""
    from charlm.cli.training import Choices, begin, continue_run  # noqa: PLC0415 - NumPy is loaded only when it is used

    given = Choices(
        valid=valid, valid_fraction=valid_fraction, level=level, unit=unit, independent_lines=independent_lines,
        min_count=min_count, max_vocab=max_vocab, lowercase=lowercase or None, encoding=encoding, cell=cell,
        reset=reset, activation=activation, layers=layers, hidden=hidden, embedding=embedding, window=window,
        batch=batch, epochs=epochs, steps=steps, time=time, optimizer=optimizer, lr=lr, schedule=schedule,
        warmup=warmup, clip=clip, dropout=dropout, weight_decay=weight_decay, seed=seed,
    )  # fmt: skip
    if corpus is None and not (resume and model):
        raise UsageError("name a text to train on: charlm train FILE (or --resume --model FOLDER)")
    folder = model or RUNS / (corpus.stem if corpus else "")
    if resume:
        if overwrite or given.named():
            named = ", ".join(given.named() or ["--overwrite"])
            raise UsageError(f"--resume continues the run as it was begun: leave out {named}")
        continue_run(folder, corpus, quiet=quiet)
    elif corpus is not None:
        begin(folder, corpus, given, overwrite=overwrite, quiet=quiet)
