"""``charlm compress``: a file in as few bytes as a model's probabilities allow."""

from typing import Annotated, Any

import typer

from charlm.cli.adaptation import ADAPTING, taken
from charlm.cli.choices import with_options
from charlm.cli.compressing import (
    OutOption,
    OverwriteOption,
    Timed,
    blocks_of,
    check_no_terminal,
    check_places,
    following_bytes,
    source_of,
    writing,
)
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load, locate


def _compress(
    file: Annotated[str, typer.Argument(help="What to compress, any file; - for standard input.", show_default=False)],
    out: OutOption,
    model: ModelOption = None,
    label: LabelOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Compress a file by a model's probabilities; charlm decompress gives it back, bit for bit.

    Any bytes can be compressed by any model; what it has no tokens for costs more. Decompressing takes the same model,
    and a machine that computes the same bits; both are checked.
    """
    check_places(file, out, overwrite=overwrite, as_json=as_json)
    check_no_terminal(out)
    from charlm.adapting.applying import settled  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.compression import compressing  # noqa: PLC0415 - likewise
    from charlm.compression.basis import basis_of  # noqa: PLC0415 - likewise

    asked, path = taken(given), locate(model)
    trained = load(path).under(label)
    basis = basis_of(trained, *(settled(trained, path, asked) if asked else ()))
    timed, source = Timed(), source_of(file)
    with blocks_of(source) as blocks, writing(out) as write, following_bytes("compressing", source) as passed:
        sizes = compressing.compress(blocks, write, basis, passed)
    timed.tell(source.name, sizes, out, as_json=as_json)


compress = with_options(_compress, ADAPTING)
"""The command."""
