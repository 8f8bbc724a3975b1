"""``charlm explain``: the equations of a model's units with the numbers put in, step by step."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.console import counted, note, result, result_json, visible
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load
from charlm.cli.inputs import note_file, note_unknown
from charlm.errors import UsageError

if TYPE_CHECKING:
    from charlm.checkpoint import TrainedModel
    from charlm.explain import Guess, Step, Worked
    from charlm.nn.equations import Normalization

DEFAULT_STEPS = 10
"""Steps that are shown where nobody said; more than a screen or two is for those who ask."""
DEFAULT_UNITS = 2
WIDTH = 100
"""Columns after which what is computed next goes on a line of its own."""
LONGEST = 100
"""Characters of an option that are repeated."""
SPECIAL = ("<EOS>", "<UNK>")
"""Shown without quotes; the same as in ``charlm.text.vocabulary``, which --help need not load."""


def explain(
    text: Annotated[str, typer.Argument(help="Text to read; none for the beginning.", show_default=False)] = "",
    model: ModelOption = None,
    layer: Annotated[
        int | None, typer.Option("--layer", help="One layer, from 1, the lowest.", show_default="all")
    ] = None,
    units: Annotated[
        str | None, typer.Option("--units", help="Units, from 1: 1,5,7 or 1-4.", show_default="the first two")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="How many steps to show.", show_default=f"the first {DEFAULT_STEPS}")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="How many of the likeliest next tokens to show.")] = 3,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every gate of a unit beside its equation, with the numbers put in, as the model reads a text step by step.

    The first step reads a zero vector in the initial state, each other one a token. At the end of a step stand the
    likeliest next tokens and the probability of the one that follows in the text.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this
    from charlm.explain import explain as explained  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.samples import read_prompt  # noqa: PLC0415 - likewise

    require("--top", top, minimum=1)
    require("--steps", DEFAULT_STEPS if steps is None else steps, minimum=1)
    trained = load(model).under(label)
    config = trained.network.config
    require("--layer", 1 if layer is None else layer, minimum=1, maximum=config.layers)
    layers = list(range(config.layers)) if layer is None else [layer - 1]
    chosen = list(range(min(DEFAULT_UNITS, config.hidden))) if units is None else _units(units, config.hidden)
    note_file(text, "is explained as a text: files are not read here")
    prompt = read_prompt(trained, text)
    note_unknown(prompt)
    if not as_json:
        result(_heading(trained, label))
    for step in islice(explained(trained, prompt, top), DEFAULT_STEPS if steps is None else steps):
        if as_json:
            result_json(_as_json(step, layers, chosen))
        else:
            result("\n".join(["", *_lines(step, layers, chosen)]))
    number = len(prompt.ids) + 1
    if steps is None and number > DEFAULT_STEPS:
        note(f"{counted(number - DEFAULT_STEPS, 'step')} left out: --steps {number} shows all")


def _units(text: str, hidden: int) -> list[int]:
    """Units counted from 0, each once and in the order named, from such as "1,5,7" or "1-4", counted from 1.

    Raises:
        UsageError: it is something else, or the layers have no such unit.
    """
    chosen: dict[int, None] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part, re.ASCII)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= hidden:
            raise UsageError(
                f"--units is {visible(text[:LONGEST])}: name units from 1 to {hidden}, as many as the layers have, "
                "by numbers and ranges such as 1,5,7 or 1-4"
            )
        chosen.update(dict.fromkeys(range(first - 1, last)))
    return list(chosen)


def _as_json(step: "Step", layers: list[int], units: list[int]) -> dict[str, Any]:
    return {
        "step": step.number,
        "token": step.token,
        "unknown": step.unknown,
        "layers": [
            {
                "layer": k + 1,
                "units": [{"unit": unit + 1, "values": step.layers[k].of_unit(unit)} for unit in units],
            }
            for k in layers
        ],
        "next": [{"token": guess.token, "probability": guess.probability} for guess in step.likeliest],
        "probability": step.following.probability if step.following else None,
    }


def _heading(trained: "TrainedModel", label: str | None) -> str:
    config = trained.network.config
    added = "" if label is None else f" To all that is read, the embedding of the label {visible(label)} is added."
    return (
        f"{config.kind}: {counted(config.layers, 'layer')} of {counted(config.hidden, 'unit')}. "
        f"A product W @ v is one number, the unit's row of W times v.{added}"
    )


def _lines(step: "Step", layers: list[int], units: list[int]) -> Iterator[str]:
    read = "the zero vector, in the initial state" if step.token is None else _shown(step.token, unknown=step.unknown)
    yield f"step {step.number}: reads {read}"
    for k in layers:
        for unit in units:
            yield f"  layer {k + 1}, unit {unit + 1}"
            worked = step.layers[k].worked(unit)
            width = max(len(each.equation.about) for each in worked)
            for each in worked:
                yield from _equation(each, width)
    yield f"  next token: y = softmax(W_y @ {step.layers[-1].output_name} + b_y)"
    yield "    likeliest: " + ", ".join(map(_guess, step.likeliest))
    yield "    in the text: " + (_guess(step.following) if step.following else "nothing, it ends here")


def _equation(worked: "Worked", width: int) -> Iterator[str]:
    """An equation, and under it its steps, as many on a line as there is room for."""
    equation = worked.equation
    yield f"    {equation.about:{width}}  {', '.join(equation.targets)} = {equation.text}"
    margin = " " * (width + 8)
    for line in _packed([f"= {step}" for step in worked.steps], WIDTH - len(margin)):
        yield margin + line
    for each in worked.normalizations:
        yield margin + _normalization(each)


def _packed(steps: list[str], width: int) -> Iterator[str]:
    """Steps on lines; as long as they are too wide together, the first is on a line of its own."""
    while len(steps) > 1 and len(" ".join(steps)) > width:
        yield steps[0]
        steps = steps[1:]
    yield " ".join(steps)


def _normalization(found: "Normalization") -> str:
    return f"(norm of all {found.numbers} numbers: mean {found.mean:.4f}, deviation {found.deviation:.4f})"


def _guess(guess: "Guess") -> str:
    return f"{_shown(guess.token, unknown=guess.unknown)} {guess.probability:.4f}"


def _shown(token: str, *, unknown: bool) -> str:
    return (token if token in SPECIAL else visible(token)) + " as <UNK>" * unknown
