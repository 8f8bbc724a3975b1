"""The command line: the only place that prints, shows progress, or exits."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it: 128 + SIGINT."""
