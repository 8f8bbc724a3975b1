"""``charlm`` and ``python -m charlm``.

Only what takes no time is imported here, so that Ctrl-C and its like are in hand before anything else is loaded.
"""

import contextlib
import os
import signal
import sys
from types import FrameType

from charlm.cli import ENDINGS, INTERRUPTED


def main() -> None:
    """Take charge of the signals that ask for an end and of closed standard streams, then run the command line."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        # A stream that was closed must not be missing, nor its number go to a file that is opened later.
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open
    for number in ENDINGS:
        # What was ignored before, as in the background or under nohup, stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)

    from charlm.cli.app import run  # noqa: PLC0415 - see above

    run()


def _end(number: int, frame: FrameType | None) -> None:
    """End at once. An exception would be at the mercy of the code it strikes, imports above all.

    Training, which has work to save, puts a handler of its own in this one's place.
    """
    del number, frame
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(2, b"charlm: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
