"""The command line: the only place that prints, shows progress, or exits."""

import signal

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it: 128 + SIGINT."""
ENDINGS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that ask for an end: Ctrl-C, a machine that shuts down, a terminal that is closed."""
