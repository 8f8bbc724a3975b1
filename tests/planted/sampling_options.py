"""Errors on the way from the options of sampling to what is drawn."""

from planted.mutant import Mutant

PROMISES = ("test_sampling_promises.py",)

MUTANTS = [
    Mutant(
        "sampling options: --min-p is forgotten",
        "sample_options.py",
        '        options.get("min_p", 0.0),\n',
        "        0.0,\n",
        PROMISES,
    ),
    Mutant(
        "sampling options: --typical is --top-p",
        "sample_options.py",
        '        options.get("typical", 1.0),\n',
        '        options.get("top_p", 1.0),\n',
        PROMISES,
    ),
    Mutant(
        "sampling options: --penalty-window is always 64",
        "sample_options.py",
        "        PENALTY_WINDOW if window is None else window,\n",
        "        PENALTY_WINDOW,\n",
        PROMISES,
    ),
    Mutant(
        "sampling options: a banned word comes behind a quotation mark",
        "sample_options.py",
        "        found += ids[:1] if parted and plain[0].isalnum() else ids\n",
        "        found += ids[:1]\n",
        PROMISES,
    ),
    Mutant(
        "sampling options: --only allows words that run together",
        "sample_options.py",
        "        found += ids[:1] if parted and plain[0].isalnum() else ids\n",
        "        found += ids\n",
        ("cli/test_cli_sample_options.py",),
    ),
]
