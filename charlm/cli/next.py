"""``charlm next``: what is likely to come next."""

from typing import Annotated

import typer

from charlm.cli.console import result, result_json, visible
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load
from charlm.cli.inputs import note_unknown


def likeliest(
    prompt: Annotated[str, typer.Argument(help="Text to continue; none for the beginning.", show_default=False)] = "",
    model: ModelOption = None,
    number: Annotated[int, typer.Option("-n", "--number", help="How many continuations to show.")] = 10,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """The likeliest continuations of a text, with their probabilities.

    A model of words or tokens continues by one of them; a model of characters or bytes by the rest of a word, or
    by the next word, and the probability is that the word ends there.
    """
    from charlm.config import require  # noqa: PLC0415 - --help needs none of this
    from charlm.continuations import continuations  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.samples import read_prompt  # noqa: PLC0415 - likewise

    require("-n", number, minimum=1)
    trained = load(model).under(label)
    begun = read_prompt(trained, prompt)
    note_unknown(begun)
    found = continuations(trained, begun, number)
    if not as_json:
        result(f"{'probability':>11}  continuation")
    for each in found:
        if as_json:
            result_json({"text": each.text, "probability": each.probability, "ends": each.ends})
        else:
            result(f"{each.probability:11.4f}  {'<EOS>' if each.ends else visible(each.text)}")
