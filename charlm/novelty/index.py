"""A text's suffixes in order, in a file, and what of other texts stands in it.

    text        the ids, each in as many bytes as the largest needs, the highest first: their order as bytes is theirs
    suffixes    for each block of the text, where its suffixes begin, in their order
    label       a JSON object, closed as ``charlm.cache.entry`` closes its own

A text is cut into blocks, since ordering suffixes takes sixty times as much memory as they have tokens. Each block
reaches so far into the next one that no stretch is cut in two unless it is longer than that (``OVERLAP``). File and
blocks are mapped into memory, so that what a query takes does not grow with the text.
"""

import hashlib
import json
import mmap
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from charlm.cache.entry import DamagedError, read_closed_label, write_label
from charlm.novelty.suffixes import suffix_array
from charlm.text.store import Ids, blocks_of

BLOCK = 1 << 21
"""Tokens of a block: 130 MB to order."""
OVERLAP = 1 << 16
"""Tokens that a block shares with the next: stretches up to this length are found, and measured, exactly."""
MAPPED_BYTES = 1 << 26
"""So much of a file may stay mapped, and counts as the process's memory."""
KIND = "suffixes"
_PLACE = np.dtype(np.uint32)


@dataclass(frozen=True)
class Stretch:
    """The longest stretch of a query that stands in a text.

    Attributes:
        begin: where in the query it begins.
        length: in tokens; 0 where no token of the query stands in the text.
        place: where in the text it stands; one of the places if there are several.
    """

    begin: int = 0
    length: int = 0
    place: int = 0


def key_of(ids: Ids) -> str:
    """What names the index of a text: a digest of its ids."""
    digest = hashlib.sha256(f"{KIND} {BLOCK} {OVERLAP} {_packed_type(ids).str} ".encode())
    for block in blocks_of(ids):
        digest.update(np.ascontiguousarray(block).astype(_packed_type(ids)).data)
        _give_back(ids.base)
    return digest.hexdigest()[:32]


def index_bytes(ids: Ids) -> int:
    """How large the file of a text's index is, but for its label."""
    return len(ids) * _packed_type(ids).itemsize + 3 + _PLACE.itemsize * sum(map(len, _blocks(ids)))


def write_index(file: IO[bytes], ids: Ids) -> None:
    """Write the index of a text.

    Args:
        file: empty, to write bytes into.
        ids: uint8, uint16 or uint32 [N].

    Raises:
        OSError: it cannot be written.
    """
    checksum = 0

    def write(data: bytes | memoryview) -> None:
        nonlocal checksum
        file.write(data)
        checksum = zlib.crc32(data, checksum)

    kind = _packed_type(ids)
    for block in blocks_of(ids):
        write(block.astype(kind).tobytes())
        _give_back(ids.base)
    write(bytes(-file.tell() % _PLACE.itemsize))
    for block in _blocks(ids):
        write(suffix_array(block).astype(_PLACE).tobytes())
        _give_back(ids.base)
    label = {"kind": KIND, "key": key_of(ids), "tokens": len(ids), "width": kind.itemsize, "checksum": checksum}
    write_label(file, json.dumps(label).encode())


class SuffixIndex:
    """The index of a text.

    Args:
        path: of its file, as ``write_index`` wrote it.
        key: that it must be of; None for any.
        check: whether to read all of it once; not needed of what was just written.

    Raises:
        OSError: it cannot be read.
        DamagedError: it is not as it was written.
    """

    def __init__(self, path: Path, key: str | None = None, *, check: bool = True) -> None:
        label, end = read_closed_label(path)
        try:
            tokens, width, checksum = (int(label[name]) for name in ("tokens", "width", "checksum"))
            sound = label["kind"] == KIND and key in (None, label["key"]) and width in (1, 2, 4) and tokens >= 0
        except (LookupError, TypeError, ValueError) as error:
            raise DamagedError from error
        self._bounds = list(_bounds(tokens))
        first = tokens * width + -(tokens * width) % _PLACE.itemsize
        if not sound or end != first + _PLACE.itemsize * sum(stop - start for start, stop in self._bounds):
            raise DamagedError
        with path.open("rb") as file:
            if check and _checksum(file, end) != checksum:
                raise DamagedError
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._width = width
        self._tokens = tokens
        self._suffixes = memoryview(self._data)[first:end].cast("I")

    def __len__(self) -> int:
        return self._tokens

    def ids(self, begin: int, end: int) -> NDArray[np.int64]:
        """The text's tokens from one place to another, int64 [end - begin]."""
        kind = np.dtype(f">u{self._width}")
        return np.frombuffer(self._data[begin * self._width : end * self._width], kind).astype(np.int64)

    def count(self, token: int, end: int) -> int:
        """How often a token stands before a place."""
        return sum(
            int(np.count_nonzero(self.ids(begin, min(begin + BLOCK, end)) == token)) for begin in range(0, end, BLOCK)
        )

    def longest(self, query: NDArray[np.integer[Any]], beyond: int = 0) -> Stretch:
        """The longest stretch of a query that stands in the text.

        Args:
            query: [n], ids; what is no id of the text, such as -1, stands nowhere in it.
            beyond: only stretches that are longer; the fewer there are, the quicker.

        Returns:
            The first of the longest ones; one of no length if there is none.
        """
        best = Stretch(length=beyond)
        top = 1 << 8 * self._width
        known = np.asarray(query, np.int64)
        known = np.where((known >= 0) & (known < top), known, -1)
        breaks = [-1, *np.flatnonzero(known < 0).tolist(), len(known)]
        for before, end in pairwise(breaks):
            packed = known[before + 1 : end].astype(f">u{self._width}").tobytes()
            first = 0
            for start, stop in self._bounds:
                block = _Block(self._data, self._suffixes[first : first + stop - start], start, stop, self._width)
                best = block.longest(packed, before + 1, best)
                first += stop - start
                _give_back(self._data)
        return best if best.length > beyond else Stretch()


class _Block:
    """A block of a text.

    Args:
        text: all of it, as bytes.
        suffixes: where the block's suffixes begin, from the block's beginning, in their order.
        start: where the block begins.
        stop: where it ends.
        width: bytes of a token.
    """

    def __init__(self, text: mmap.mmap, suffixes: memoryview, start: int, stop: int, width: int) -> None:
        self._text = text
        self._suffixes = suffixes
        self._start = start * width
        self._stop = stop * width
        self._width = width

    def longest(self, query: bytes, offset: int, best: Stretch) -> Stretch:
        """The longest stretch if it is longer than the best so far, which it is otherwise.

        A longer one that begins at one of ``step`` places holds all tokens from the last of these to where the first
        of them would be longer: where these do not stand in the block, none of the places has to be looked at.
        """
        size, place = len(query) // self._width, 0
        while place + best.length < size:
            step = (best.length + 1) // 3
            if step > 1:
                common = query[(place + step - 1) * self._width : (place + best.length + 1) * self._width]
                if self._match(common)[0] < len(common):
                    place += step
                    continue
            for begin in range(place, place + max(step, 1)):
                # Nothing that goes further than a stretch can is compared.
                rest = query[begin * self._width : (begin + OVERLAP) * self._width]
                if len(rest) <= best.length * self._width:
                    break
                found, at = self._match(rest)
                if found > best.length * self._width:
                    best = Stretch(begin + offset, found // self._width, at // self._width)
            place += max(step, 1)
        return best

    def _match(self, wanted: bytes) -> tuple[int, int]:
        """How many bytes of these, whole tokens, stand in the block at most, and where."""
        text, suffixes, start, stop, width = self._text, self._suffixes, self._start, self._stop, self._width
        low, high, size = 0, len(suffixes), len(wanted)
        while low < high:
            middle = (low + high) // 2
            at = start + suffixes[middle] * width
            if text[at : min(at + size, stop)] < wanted:
                low = middle + 1
            else:
                high = middle
        best = (0, 0)
        # The suffixes that have most in common with anything stand beside where it would stand.
        for neighbour in (low, low - 1):
            if 0 <= neighbour < len(suffixes):
                at = start + suffixes[neighbour] * width
                common = _common(text[at : min(at + size, stop)], wanted) // width * width
                best = max(best, (common, at), key=lambda each: each[0])
        return best


def _common(first: bytes, second: bytes) -> int:
    """How many bytes two strings of bytes begin with alike."""
    low, high = 0, min(len(first), len(second))
    if first[:high] == second[:high]:
        return high
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if first[:middle] == second[:middle] else (low, middle)
    return low


def _give_back(mapped: object) -> None:
    """Give back what has been read of a large mapped file, where the system takes it; the file stays in its cache."""
    if isinstance(mapped, mmap.mmap) and len(mapped) > MAPPED_BYTES and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _packed_type(ids: Ids) -> np.dtype[Any]:
    return ids.dtype.newbyteorder(">")


def _bounds(tokens: int) -> list[tuple[int, int]]:
    """Where each block begins and ends."""
    return [(begin, min(begin + BLOCK + OVERLAP, tokens)) for begin in range(0, tokens, BLOCK)]


def _blocks(ids: Ids) -> list[Ids]:
    plain = np.asarray(ids)
    return [plain[begin:end] for begin, end in _bounds(len(ids))]


def _checksum(file: IO[bytes], end: int) -> int:
    """That of a file's beginning, which is read rather than mapped: what is mapped counts as the process's memory."""
    checksum = 0
    for begin in range(0, end, BLOCK):
        checksum = zlib.crc32(file.read(min(BLOCK, end - begin)), checksum)
    return checksum
