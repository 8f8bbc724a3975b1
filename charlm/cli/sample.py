"""``charlm sample``: text from a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.adaptation import ADAPTING, check_apart
from charlm.cli.adaptation import taken as adapting
from charlm.cli.choices import chosen, typed, with_options
from charlm.cli.find import LabelOption, ModelOption, load, locate
from charlm.cli.inputs import note_unknown, source_of
from charlm.cli.novelty import kept, rounds, told, told_as_json, training_text
from charlm.cli.painting import check_page_file
from charlm.cli.sample_extras import ASKING, NOVELTY, SHOWING, Extras, taken
from charlm.cli.sample_options import DRAWING, ENDING, HOLDING, SEARCHING
from charlm.cli.sample_pages import shown_on_page, write_painted
from charlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from charlm.checkpoint import TrainedModel
    from charlm.novelty.copies import TrainingText
    from charlm.samples import Prompt, Sample
    from charlm.sampling.config import SamplingConfig

    Draw = Callable[[Sequence[Prompt], int, int, SamplingConfig], Iterator[Sample]]


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
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the --prompt-file.", show_default="as trained")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            "-n", "--number", help="How many samples to draw for each prompt.", show_default="1; 10 with --fill"
        ),
    ] = None,
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

    if number is not None:
        require("-n", number, minimum=1)
    if seed is not None:
        require("--seed", seed, minimum=0)
    asked = adapting(given)
    options = chosen(given)
    others: dict[str, object] = {"number": number, "seed": seed is not None, "label": label, "jsonl": jsonl}
    others |= {"prompt": prompt, "prompt_file": prompt_file, "encoding": encoding}
    extras = taken(options, chosen(others))
    _check_search(options, seed)
    _check_adapting(asked, options, extras)
    if extras.html is not None:
        check_page_file(extras.html, "--html")
    path = locate(model)
    trained = load(path).under(label)
    if extras.fill is not None:
        from charlm.cli.filling import show_filled  # noqa: PLC0415 - only here

        show_filled(trained, extras, number, jsonl=jsonl)
    elif extras.interactive:
        from charlm.cli.interactive import converse  # noqa: PLC0415 - only here

        converse(trained, seed, options)
    else:
        prompts = _prompts(trained, prompt, prompt_file, encoding)
        if "beams" in options:
            _search(trained, prompts, number or 1, extras, jsonl=jsonl, **options)
        else:
            draw = _drawing(trained, path, asked, extras)
            _draw(trained, prompts, number or 1, seed, extras, draw, jsonl=jsonl, **options)


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


def _check_adapting(asked: dict[str, Any], options: dict[str, Any], extras: Extras) -> None:
    """Check that a model that adapts is asked for nothing but samples.

    Raises:
        UsageError: it is; searches, masks and colours are those of the model as it was trained.
    """
    others = {"--beams": "beams" in options, "--match": extras.match, "--fill": extras.fill, "-i": extras.interactive}
    check_apart(asked, {**others, "--show-probs": extras.show_probs, "--html": extras.html})


def _drawing(trained: "TrainedModel", path: Path, asked: dict[str, Any], extras: Extras) -> "Draw":
    """What draws samples: given prompts, a seed, how many for each prompt, and how."""
    from functools import partial  # noqa: PLC0415 - only here

    if asked:
        from charlm.adapting.applying import draw_adapted_samples, predictor_of  # noqa: PLC0415 - what adapts nothing does without

        return partial(draw_adapted_samples, trained, predictor_of(trained, path, asked))
    from charlm.samples import draw_samples  # noqa: PLC0415 - NumPy is loaded only when it is used

    more = {name: value for name in ("match", "budget", "seconds") if (value := getattr(extras, name)) is not None}
    return partial(draw_samples, trained, **more)


def _search(
    trained: "TrainedModel",
    prompts: list["Prompt"],
    number: int,
    extras: Extras,
    *,
    beams: int,
    jsonl: bool,
    **options: Any,
) -> None:
    from charlm.cli import sample_output  # noqa: PLC0415 - only here
    from charlm.sample_options import beam_config  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.samples import find_samples  # noqa: PLC0415 - likewise

    training = training_text(trained, extras)
    found = find_samples(trained, prompts, beam_config(trained, beams, number, **options))
    if number > 1 and not (jsonl or extras.show_probs):
        sample_output.write_table(_accompanied(trained, found, training, extras))
    else:
        _write(trained, found, None, training, extras, jsonl=jsonl)


def _draw(
    trained: "TrainedModel",
    prompts: list["Prompt"],
    number: int,
    seed: int | None,
    extras: Extras,
    draw: "Draw",
    *,
    jsonl: bool,
    **options: Any,
) -> None:
    import secrets  # noqa: PLC0415 - only here

    from charlm.cli import sample_output  # noqa: PLC0415 - likewise
    from charlm.sample_options import sampling_config  # noqa: PLC0415 - NumPy is loaded only when it is used

    config = sampling_config(trained, details=jsonl, **options)
    if seed is None:
        seed = secrets.randbelow(1 << 32)
    training = training_text(trained, extras)
    samples = draw(prompts, seed, rounds(extras, number), config)
    samples = kept(samples, training, extras.max_copy, number, len(prompts))
    samples = sample_output.counted(samples, number * len(prompts))
    _write(trained, samples, seed, training, extras, jsonl=jsonl)


def _write(
    trained: "TrainedModel",
    samples: "Iterator[Sample]",
    seed: int | None,
    training: "TrainingText | None",
    extras: Extras,
    *,
    jsonl: bool,
) -> None:
    from charlm.cli import sample_output  # noqa: PLC0415 - only here

    if jsonl:
        samples = samples if extras.html is None else shown_on_page(trained, samples, extras.html)
        sample_output.write_json(samples, seed, told_as_json(training) if extras.novelty else None)
        return
    accompanied = _accompanied(trained, samples, training, extras)
    if extras.show_probs:
        write_painted(trained, accompanied)
    else:
        sample_output.write_texts(trained, accompanied)


def _accompanied(
    trained: "TrainedModel", samples: "Iterator[Sample]", training: "TrainingText | None", extras: Extras
) -> "Iterator[Sample]":
    """The same samples; a page and what they copy come along."""
    if extras.html is not None:
        samples = shown_on_page(trained, samples, extras.html)
    return told(samples, training) if extras.novelty else samples


def _prompts(
    trained: "TrainedModel", given: list[str] | None, file: Path | None, encoding: str | None
) -> list["Prompt"]:
    """What is to be continued; the empty text where nothing was named.

    Raises:
        InputError: the file cannot be read, or holds no prompt.
        UsageError: a prompt does not fit the model.
    """
    from charlm.samples import read_prompt  # noqa: PLC0415 - NumPy is loaded only when it is used

    texts = [*(given or []), *(() if file is None else _lines(file, trained, encoding))] or [""]
    prompts = [read_prompt(trained, text) for text in texts]
    note_unknown(*prompts)
    return prompts


def _lines(file: Path, trained: "TrainedModel", encoding: str | None) -> list[str]:
    from charlm.errors import InputError  # noqa: PLC0415 - only here
    from charlm.text.inputs import read_lines  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.text.tokenizer import read_as  # noqa: PLC0415 - likewise

    source = source_of(file)
    read = read_as(trained.text.level, encoding or trained.text.encoding)
    lines = list(map(_decoded, read_lines(source, read)))
    if not lines:
        raise InputError(f"{source.name} is empty: --prompt-file needs a prompt a line")
    return lines


def _decoded(line: str | bytes) -> str:
    return line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line


sample = with_options(_sample, DRAWING, HOLDING, ENDING, SEARCHING, ASKING, NOVELTY, SHOWING, ADAPTING)
"""The command."""
