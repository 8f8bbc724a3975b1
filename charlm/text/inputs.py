"""The texts to score in a file or a pipe: its lines as they come, or all of it."""

from collections.abc import Iterator

from charlm.text.reading import ByteReader, Source, TextReader


def read_lines(source: Source, encoding: str | None) -> Iterator[str] | Iterator[bytes]:
    """Lines without their line breaks, each as soon as it is complete; bytes where ``encoding`` is None.

    Raises:
        InputError: the source cannot be opened; while iterating, it cannot be read or decoded.
    """
    if encoding is None:
        return _byte_lines(ByteReader(source))
    return _text_lines(TextReader(source, encoding))


def _text_lines(blocks: Iterator[str]) -> Iterator[str]:
    held = ""
    for block in blocks:
        first, *rest = block.split("\n")
        held += first
        for line in rest:
            yield held
            held = line
    if held:
        yield held


def _byte_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        first, *rest = block.split(b"\n")
        held += first
        for line in rest:
            yield held
            held = line
    if held:
        yield held


def read_whole(source: Source, encoding: str | None) -> str | bytes:
    """Everything in a source as one text; bytes where ``encoding`` is None.

    Raises:
        InputError: as ``read_lines``.
    """
    return b"".join(ByteReader(source)) if encoding is None else "".join(TextReader(source, encoding))
