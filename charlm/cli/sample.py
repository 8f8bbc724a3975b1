"""``charlm sample``: text from a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import note, visible
from charlm.cli.find import LabelOption, ModelOption, load
from charlm.cli.sample_options import DRAWING, ENDING, HOLDING, SEARCHING, chosen, typed, with_options
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.samples import Prompt

SHOWN_UNKNOWN = 10


def _sample(
    model: ModelOption = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", help="Text to continue; printed first. May be given several times."),
    ] = None,
    prompt_file: Annotated[
        Path | None,
        typer.Option(
            "--prompt-file", help='A file with a prompt a line; "-" for a pipe.', show_default=False, readable=False
        ),
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", help="How many samples to draw for each prompt.")] = 1,
    seed: Annotated[
        int | None,
        typer.Option("--seed", "-s", help="The same seed gives the same text.", show_default="random"),
    ] = None,
    label: LabelOption = None,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="An object a sample: text, log-probabilities of its tokens, why it ended."),
    ] = False,
    **given: Any,
) -> None:
    """Draw text from a model, written as it is drawn.

    Models of independent lines end each sample with its line, models of whole files with the file; others end after
    --length tokens. More samples do not change the first ones: -n 10 gives the first ten of -n 1000. Several prompts
    come in rounds, a sample of each. Whatever the order of the options, a distribution goes through --ban and --only,
    --repetition-penalty, --temperature, --top-k, --top-p, --min-p and --typical, in this order. With --beams nothing is
    drawn: -n texts are shown, the best first, with their log-probabilities in nats and their scores.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this

    require("-n", number, minimum=1)
    if seed is not None:
        require("--seed", seed, minimum=0)
    options = chosen(given)
    _check_search(options, seed)
    trained = load(model).under(label)
    prompts = _prompts(trained, prompt, prompt_file)
    if "beams" in options:
        _search(trained, prompts, number, jsonl=jsonl, **options)
    else:
        _draw(trained, prompts, number, seed, jsonl=jsonl, **options)


def _check_search(options: dict[str, Any], seed: int | None) -> None:
    """Check that what searches and what draws do not stand together.

    Raises:
        UsageError: they do.
    """
    if "beams" not in options:
        if alone := typed(options, SEARCHING):
            raise UsageError(f"{', '.join(alone)}: for a search with --beams, which is not given")
        return
    drawing = [*typed(options, DRAWING), *([] if seed is None else ["--seed"])]
    if drawing:
        raise UsageError(f"--beams finds the likeliest texts and draws nothing: leave out {', '.join(drawing)}")


def _search(
    trained: "TrainedModel", prompts: list["Prompt"], number: int, *, beams: int, jsonl: bool, **options: Any
) -> None:
    from charlm.cli import sample_output  # noqa: PLC0415 - only here
    from charlm.sample_options import beam_config  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.samples import find_samples  # noqa: PLC0415 - likewise

    found = find_samples(trained, prompts, beam_config(trained, beams, number, **options))
    if jsonl:
        sample_output.write_json(found)
    elif number == 1:
        sample_output.write_texts(trained, found)
    else:
        sample_output.write_table(found)


def _draw(
    trained: "TrainedModel", prompts: list["Prompt"], number: int, seed: int | None, *, jsonl: bool, **options: Any
) -> None:
    import secrets  # noqa: PLC0415 - only here

    from charlm.cli import sample_output  # noqa: PLC0415 - likewise
    from charlm.sample_options import sampling_config  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.samples import draw_samples  # noqa: PLC0415 - likewise

    config = sampling_config(trained, details=jsonl, **options)
    if seed is None:
        seed = secrets.randbelow(1 << 32)
    drawn = draw_samples(trained, prompts, seed, number, config)
    samples = sample_output.counted(drawn, number * len(prompts))
    if jsonl:
        sample_output.write_json(samples, seed)
    else:
        sample_output.write_texts(trained, samples)


def _prompts(trained: "TrainedModel", given: list[str] | None, file: Path | None) -> list["Prompt"]:
    """What is to be continued; the empty text where nothing was named.

    Raises:
        InputError: the file cannot be read, or holds no prompt.
        UsageError: a prompt does not fit the model.
    """
    from charlm.samples import read_prompt  # noqa: PLC0415 - NumPy is loaded only when it is used

    texts = [*(given or []), *(() if file is None else _lines(file, trained))] or [""]
    prompts = [read_prompt(trained, text) for text in texts]
    note_unknown(*prompts)
    return prompts


def _lines(file: Path, trained: "TrainedModel") -> list[str]:
    import sys  # noqa: PLC0415 - only here

    from charlm.errors import InputError  # noqa: PLC0415 - likewise
    from charlm.text.inputs import read_lines  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.reading import Source, file_source  # noqa: PLC0415 - likewise
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    piped = str(file) == "-"
    if piped and sys.stdin.isatty():
        raise UsageError("--prompt-file - reads standard input, which is a terminal here: send prompts through a pipe")
    source = Source("standard input", lambda: sys.stdin.buffer) if piped else file_source(file)
    lines = list(map(_decoded, read_lines(source, read_as(trained.text.level, trained.text.encoding))))
    if not lines:
        raise InputError(f"{source.name} is empty: --prompt-file needs a prompt a line")
    return lines


def _decoded(line: str | bytes) -> str:
    return line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line


def note_unknown(*prompts: "Prompt") -> None:
    """Say which tokens of some prompts the model has never seen."""
    unknown = list(dict.fromkeys(token for prompt in prompts for token in prompt.unknown))
    if unknown:
        shown = ", ".join(map(visible, unknown[:SHOWN_UNKNOWN]))
        more = ", ..." if len(unknown) > SHOWN_UNKNOWN else ""
        note(f"the model does not know {shown}{more}: read as <UNK>")


sample = with_options(_sample, DRAWING, HOLDING, ENDING, SEARCHING)
"""The command."""
