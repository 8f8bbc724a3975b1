"""The file that compressing writes: a header, what the coder gives, and a trailer.

    4 bytes   magic
    1         version
    8         of the digest of the model, and of everything else that its probabilities depend on
    4         of the digest of the probe: what this machine computes
    1 + n     name of the BLAS kernel, in ASCII
    2 + n     what the predictor was made with, as JSON; nothing where it is the model alone
    4         CRC-32 of the above
    ...       the coder's bytes
    6         length of the content
    8         of its SHA-256
    4         CRC-32 of everything before

Numbers have their low bytes first. Digests are cut short, since they guard against errors, not against forgery.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from charlm.errors import InputError
from charlm.files import parse_json

MAGIC = b"\x8bclm"
VERSION = 1
DIGEST_BYTES, PROBE_BYTES, CONTENT_BYTES = 8, 4, 8
_LENGTH_BYTES, _CHECK_BYTES, _ABOUT_BYTES = 6, 4, 2
TRAILER_BYTES = _LENGTH_BYTES + CONTENT_BYTES + _CHECK_BYTES
_SHORT = 1 << 16
"""Bytes of a pipe that are read before anything is made of them."""


class Header(NamedTuple):
    """What stands before the coder's bytes.

    Attributes:
        digest: of the model, and of what else its probabilities depend on.
        probe: of what the machine computed.
        kernel: the routines that it computed with.
        about: what the predictor was made with: a JSON object.
    """

    digest: bytes
    probe: bytes
    kernel: str
    about: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The header as it stands in a file."""
        kernel = self.kernel.encode("ascii", "replace")[:255]
        about = json.dumps(self.about, sort_keys=True, separators=(",", ":")).encode() if self.about else b""
        plain = b"".join(
            (
                MAGIC,
                bytes([VERSION]),
                self.digest,
                self.probe,
                bytes([len(kernel)]),
                kernel,
                len(about).to_bytes(_ABOUT_BYTES, "little"),
                about,
            )
        )
        return plain + _check(plain)


class Trailer(NamedTuple):
    """The length of the content in bytes, and of its digest."""

    length: int
    digest: bytes

    def to_bytes(self, check: int) -> bytes:
        """The trailer as it stands behind bytes with this CRC-32."""
        plain = self.length.to_bytes(_LENGTH_BYTES, "little") + self.digest
        return plain + _check(plain, check)


def damaged(name: str, how: str) -> InputError:
    """What to say of a file that was once written by charlm."""
    return InputError(f"{name} is damaged: {how}. Use another copy of it")


def check_whole(name: str, blocks: Iterable[bytes]) -> None:
    """Check a whole file, before anything is made of it.

    Args:
        name: for the message.
        blocks: the bytes of the file.

    Raises:
        InputError: it was not written by charlm, or is not what was written.
    """
    check, held, begun = 0, b"", False
    for block in blocks:
        held += block
        if not begun and len(held) >= len(MAGIC):
            _check_magic(name, held)
            begun = True
        if len(held) > _CHECK_BYTES:
            check = zlib.crc32(held[:-_CHECK_BYTES], check)
            held = held[-_CHECK_BYTES:]
    _check_magic(name, held if not begun else MAGIC)
    if held != check.to_bytes(_CHECK_BYTES, "little"):
        raise damaged(name, "its bytes are not those that its checksum is of")


class Contents:
    """Reads such a file from its beginning to its end.

    Args:
        name: for messages.
        blocks: the bytes of the file.
    """

    def __init__(self, name: str, blocks: Iterable[bytes]) -> None:
        self.name = name
        self._blocks = iter(blocks)
        self._held = b""
        self._place = 0
        self._check = 0
        self._passed = 0

    @property
    def read(self) -> int:
        """How many bytes have been read."""
        return self._passed + self._place

    def header(self) -> Header:
        """The header.

        Raises:
            InputError: it was not written by charlm, or by another version, or is damaged.
        """
        begin = self._take(len(MAGIC))
        _check_magic(self.name, begin)
        version = self._take(1)
        if version[0] != VERSION:
            raise InputError(
                f"{self.name} has version {version[0]}, this charlm reads {VERSION}: use the charlm that wrote it, or, "
                "if it was this one, another copy of it"
            )
        digest, probe = self._take(DIGEST_BYTES), self._take(PROBE_BYTES)
        kernel_size = self._take(1)
        kernel = self._take(kernel_size[0])
        about_size = self._take(_ABOUT_BYTES)
        about = self._take(int.from_bytes(about_size, "little"))
        plain = b"".join((begin, version, digest, probe, kernel_size, kernel, about_size, about))
        if self._take(_CHECK_BYTES) != _check(plain):
            raise damaged(self.name, "its header is not what its checksum is of")
        try:
            options = parse_json(about.decode("ascii")) if about else {}
        except ValueError as error:
            raise damaged(self.name, f"its header holds no JSON that charlm writes ({error})") from error
        if not isinstance(options, dict):
            raise damaged(self.name, "its header holds no JSON object")
        return Header(digest, probe, kernel.decode("ascii", "replace"), options)

    def check_short(self) -> None:
        """Check a file at once that is so short that all of it can be looked at; a damaged one might decode for long.

        Raises:
            InputError: it is not what was written.
        """
        while len(self._held) <= _SHORT:
            block = next(self._blocks, b"")
            if not block:
                check_whole(self.name, [self._held])
                return
            self._held += block

    def next_byte(self) -> int | None:
        """The coder's next byte; None where the trailer begins."""
        if self._place + TRAILER_BYTES >= len(self._held) and not self._more():
            return None
        byte = self._held[self._place]
        self._place += 1
        return byte

    def trailer(self) -> Trailer:
        """The trailer; what stands before it is read and passed over.

        Raises:
            InputError: the file is not what was written.
        """
        while self.next_byte() is not None:
            self._place = len(self._held) - TRAILER_BYTES
        self._pass()
        rest = self._held
        self._place = len(rest)
        if len(rest) != TRAILER_BYTES or rest[-_CHECK_BYTES:] != _check(rest[:-_CHECK_BYTES], self._check):
            raise damaged(self.name, "its bytes are not those that its checksum is of")
        return Trailer(int.from_bytes(rest[:_LENGTH_BYTES], "little"), rest[_LENGTH_BYTES:-_CHECK_BYTES])

    def _take(self, size: int) -> bytes:
        while self._place + size > len(self._held):
            block = next(self._blocks, b"")
            if not block:
                _check_magic(self.name, self._held)
                raise damaged(self.name, "it ends too early")
            self._held += block
        taken = self._held[self._place : self._place + size]
        self._place += size
        return taken

    def _more(self) -> bool:
        """Read on, if there is more of the coder's bytes."""
        self._pass()
        while len(self._held) <= TRAILER_BYTES:
            block = next(self._blocks, b"")
            if not block:
                return False
            self._held += block
        return True

    def _pass(self) -> None:
        """What has been read is needed no more."""
        self._check = zlib.crc32(self._held[: self._place], self._check)
        self._held = self._held[self._place :]
        self._passed += self._place
        self._place = 0


def _check(plain: bytes, before: int = 0) -> bytes:
    return zlib.crc32(plain, before).to_bytes(_CHECK_BYTES, "little")


def _check_magic(name: str, begin: bytes) -> None:
    if not begin.startswith(MAGIC):
        raise InputError(f"{name} was not written by charlm compress: it begins with other bytes")
