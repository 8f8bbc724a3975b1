"""The command line: the only place that prints, shows progress, or exits."""
