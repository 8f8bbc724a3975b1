"""``charlm ngram``: counting models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.commands import group
from charlm.cli.console import counted, note, result
from charlm.cli.evaluate import CorpusArgument, costs_by_file, own_part, part_of, show_costs
from charlm.cli.find import JsonOption, ModelOption, UnkVocabularyOption, locate
from charlm.cli.following import following
from charlm.cli.run_options import take_options
from charlm.cli.score import EncodingOption, FileOption, PerTokenOption, TextsArgument, WholeOption, check_texts
from charlm.cli.score_output import show_scores
from charlm.cli.scoring import FILE_GROUP, GROUP, Wanted, scored_by, texts_of
from charlm.config import require
from charlm.errors import UsageError
from charlm.training.ngram_options import NGRAM_OPTIONS

if TYPE_CHECKING:
    from charlm.text.sources import Texts

KIND = "n-gram model"
ngram = group(
    "Counting models (interpolated modified Kneser-Ney) of the text that a network has, in the same tokens and units."
)


def train(corpus: list[str] | None, model: Path | None, **given: Any) -> None:
    """Count the n-grams of a text, and smooth them."""
    from contextlib import closing  # noqa: PLC0415 - only here

    from charlm.cli.inputs import find_texts  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.cli.preparing import preparing  # noqa: PLC0415 - likewise
    from charlm.cli.runs import folder_for  # noqa: PLC0415 - likewise
    from charlm.ngram.storing import write_ngram  # noqa: PLC0415 - likewise
    from charlm.training.ngrams import count_texts  # noqa: PLC0415 - likewise
    from charlm.training.run_folder import RunFolder  # noqa: PLC0415 - likewise

    overwrite, quiet = (given.pop(name) for name in ("overwrite", "quiet"))
    options = {name: value for name, value in given.items() if value is not None}
    if not corpus:
        raise UsageError("name a text to count: charlm ngram train FILE")
    folders: list[RunFolder] = []  # the one, once the texts that name it are found
    with preparing(quiet=quiet) as watched:

        def find(encoding: str | None) -> "Texts":
            texts = find_texts(corpus or [], encoding)
            folders.append(RunFolder(folder_for(model, texts, "-ngram")))
            if not overwrite:
                folders[0].check_free()
            return watched(texts)

        made, read = count_texts(find, options)
    with closing(folders[0]) as folder:
        folder.claim(overwrite=overwrite)
        if overwrite:
            folder.forget()
        write_ngram(made, folder.model_file)
    if not quiet:
        sizes = ", ".join(f"{made.trie.size(order):,}" for order in range(1, made.trie.order + 1))
        note(f"counted {counted(len(read.train), 'token')}: {sizes} n-grams of 1 to {made.trie.order} tokens")
        guessed = [str(n) for n, each in enumerate(made.smoothed.discounts, 1) if not each.estimated]
        if guessed:
            note(f"order {', '.join(guessed)}: the counts give no discounts, so the usual ones are taken")
    cost = made.evaluate(read.valid)
    result(f"{folder.path}: validation {cost.nats_per_token:.4f} nats a token")


def score(
    texts: TextsArgument = None,
    model: ModelOption = None,
    file: FileOption = None,
    whole: WholeOption = False,
    per_token: PerTokenOption = False,
    encoding: EncodingOption = None,
    unk_vocabulary: UnkVocabularyOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Log-probability of texts under a counting model, as charlm score gives it under a network."""
    from charlm.ngram.model import load_ngram  # noqa: PLC0415 - NumPy is loaded only when it is used

    check_texts(texts, file, whole=whole)
    require("--unk-vocabulary", unk_vocabulary, minimum=1)
    found = load_ngram(locate(model, KIND))
    wanted = Wanted(FILE_GROUP if file else GROUP, per_token, of_long=per_token, unk_vocabulary=unk_vocabulary)
    with following() as watched:
        inputs = iter(texts) if texts else texts_of(found, file, encoding, whole, watched)
        show_scores(found, scored_by(found, inputs, wanted, watched), file, as_json=as_json)


def evaluate(
    corpus: CorpusArgument = None,
    model: ModelOption = None,
    encoding: EncodingOption = None,
    unk_vocabulary: UnkVocabularyOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Cost of a text under a counting model: the same text, tokens and units as those of charlm eval."""
    from charlm.ngram.model import load_ngram  # noqa: PLC0415 - NumPy is loaded only when it is used

    require("--unk-vocabulary", unk_vocabulary, minimum=1)
    found = load_ngram(locate(model, KIND))
    part = part_of(found, corpus, encoding) if corpus else own_part(found, "evaluating")
    costs = costs_by_file(found, part, corpus or [], encoding, unk_vocabulary=unk_vocabulary)
    show_costs(*costs, {}, as_json=as_json)


def export(
    out: Annotated[Path, typer.Argument(help="The ARPA file to write.")],
    model: ModelOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there already.")] = False,
) -> None:
    """A counting model as an ARPA file, which other tools read; white space in a token is escaped there."""
    from charlm.exchange.output import write_files  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.ngram.arpa import write_arpa  # noqa: PLC0415 - likewise
    from charlm.ngram.model import load_ngram  # noqa: PLC0415 - likewise
    from charlm.ngram.spelling import words_of  # noqa: PLC0415 - likewise

    if str(out) == "-":
        raise UsageError("an export is written to a file, not to standard output: name it")
    found = load_ngram(locate(model, KIND))
    lines = write_arpa(found.trie, found.smoothed, words_of(found.tokenizer.vocabulary))
    write_files({out: (line.encode("utf-8", "surrogatepass") for line in lines)}, overwrite=overwrite)
    note(f"wrote {out}")


def import_(
    arpa: Annotated[Path, typer.Argument(help="An ARPA file.", readable=False)],
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder to write.", show_default=False)],
    level: Annotated[str, typer.Option("--level", help="What its words are: token, word or char.")] = "token",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model in the folder.")] = False,
) -> None:
    """A counting model from an ARPA file; each line that it scores is a text of its own."""
    from contextlib import closing  # noqa: PLC0415 - only here

    from charlm.exchange.ngrams import import_arpa  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.ngram.storing import write_ngram  # noqa: PLC0415 - likewise
    from charlm.training.run_folder import RunFolder  # noqa: PLC0415 - likewise

    folder = RunFolder(model)
    if not overwrite:
        folder.check_free()
    found = import_arpa(arpa, level)
    with closing(folder):
        folder.claim(overwrite=overwrite)
        if overwrite:
            folder.forget()
        write_ngram(found, folder.model_file)
    note(f"wrote {model}")


ngram.command("train")(
    take_options(
        train,
        NGRAM_OPTIONS,
        "Text files, folders or patterns; .gz, .bz2 and .xz are unpacked; - is standard input.",
        "runs/<name of the corpus>-ngram",
        resumable=False,
    )
)
ngram.command("score")(score)
ngram.command("eval")(evaluate)
ngram.command("export")(export)
ngram.command("import")(import_)
