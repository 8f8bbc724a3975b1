"""``charlm decompress``: what charlm compress was given."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from charlm.cli.compressing import (
    STANDARD,
    OutOption,
    OverwriteOption,
    Timed,
    blocks_of,
    check_places,
    following_bytes,
    source_of,
    writing,
)
from charlm.cli.find import JsonOption, LabelOption, ModelOption, load, locate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charlm.compression.basis import Basis


def decompress(
    file: Annotated[
        str, typer.Argument(help="What charlm compress has written; - for standard input.", show_default=False)
    ],
    out: OutOption,
    model: ModelOption = None,
    label: LabelOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decompress a file by the model that it was compressed with.

    A file is written only when it has been decompressed as a whole and its checksum is right. Standard output takes
    what has been decompressed at once: whether it was right, the exit status tells at the end.
    """
    check_places(file, out, overwrite=overwrite, as_json=as_json)
    from charlm.adapting.applying import opened_again  # noqa: PLC0415 - NumPy is loaded only when it is used
    from charlm.compression import compressing  # noqa: PLC0415 - likewise
    from charlm.compression.basis import adaptation_of, basis_of  # noqa: PLC0415 - likewise
    from charlm.compression.container import check_whole  # noqa: PLC0415 - likewise

    source = source_of(file)
    if file != STANDARD and source.path is not None and source.path.is_file():
        # Damage shows at once, and not after all that stands before it has been decompressed.
        with blocks_of(source) as blocks:
            check_whole(source.name, blocks)
    path = locate(model)
    trained = load(path).under(label)

    def basis_with(about: "Mapping[str, Any]") -> "Basis":
        how = adaptation_of(source.name, about)
        return basis_of(trained, how, opened_again(trained, path, how))

    timed = Timed()
    with blocks_of(source) as blocks, writing(out) as write, following_bytes("decompressing", source) as passed:
        sizes = compressing.decompress(source.name, blocks, write, basis_with, passed)
    timed.tell(source.name, sizes, out, as_json=as_json)
