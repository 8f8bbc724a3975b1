"""Files that belong together, replaced so that an end at any moment leaves all of the old ones or all of the new.

One of them leads. The others are written under hidden names, which tell for which leader they wait; then the leader is
put in place, and after it the others take their own names. Whoever finds files that wait for the leader that stands
finishes this with ``settle``; what waits for another leader is left over.
"""

import contextlib
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from charlm.errors import OutputError
from charlm.files import FREE_OR_MOVE, TEMPORARY, flush_folder, write_atomically


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def waiting(path: Path, leader: str) -> Path:
    """The name under which what is to replace ``path`` waits for the leader with this digest."""
    return path.with_name(f".{path.name}.for-{leader[:16]}")


def replace_together(leader: Path, data: bytes, others: Mapping[Path, bytes]) -> None:
    """Replace a leader and the files that go with it, the last of which is always among them.

    Raises:
        OutputError: a file cannot be written; where it is not the last renaming that failed, all are as they were.
    """
    found = digest(data)
    try:
        for path, each in others.items():
            write_atomically(waiting(path, found), each, called=path)
        write_atomically(leader, data)
    except OutputError:
        for path in others:
            with contextlib.suppress(OSError):
                waiting(path, found).unlink(missing_ok=True)
        raise
    try:
        settle(list(others), found)
    except OSError as error:
        raise OutputError(f"cannot write in {leader.parent}: {error.strerror or error}. {FREE_OR_MOVE}") from error


def settle(paths: Sequence[Path], leader: str) -> bool:
    """Give what waits for the leader that stands its own name; whether there was anything.

    Args:
        paths: the names; as long as the last one waits, the others have to be looked at.
        leader: the digest of the leader.

    Raises:
        OSError: a file cannot be renamed.
    """
    if not waiting(paths[-1], leader).exists():
        return False
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            waiting(path, leader).replace(path)
    flush_folder(paths[-1].parent)
    return True


def leftovers(folder: Path, names: Collection[str]) -> list[Path]:
    """What is left in a folder of writes of these files that were killed: temporaries, and what waits.

    Raises:
        OSError: the folder cannot be read.
    """
    pattern = re.compile(rf"\.+({'|'.join(map(re.escape, names))})(\.for-[0-9a-f]{{16}})?({TEMPORARY})?")
    return [path for path in folder.iterdir() if pattern.fullmatch(path.name)]
