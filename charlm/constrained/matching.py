"""Samples that match a regular expression.

Each token is drawn from the model's distribution over those that can lead to a match (``patterns.py``), the others
being masked. Where no token leads on, which a vocabulary or a limit of length may bring about, the last token is taken
back and is not drawn there again. After so many dead ends a search begins anew, with twice the patience: what a
pattern needs may be decided at the beginning of a text, and going back step by step would take for ever to get there.

Where a model's lines, or files, end with <EOS>, so does a sample, and <EOS> may come only where the text matches. In
a stream nothing ends: there a sample ends where it matches, and the model draws what the pattern cannot go on with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.constrained.patterns import NextTokens, Pattern
from charlm.errors import SearchError, UsageError
from charlm.nn.arrays import Flags, Ids, States
from charlm.samples import Prompt

BUDGET = 20_000
"""Tokens that a search may try for one sample."""
PATIENCE = 64
"""Dead ends after which a search begins anew, for the first time."""
