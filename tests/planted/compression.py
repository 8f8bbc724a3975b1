"""Errors in the arithmetic coder, in what is coded, and in what is refused."""

from planted.mutant import Mutant

CODER = ("compression/test_coder.py",)
SEGMENTS = ("compression/test_segments.py",)
TRIPS = ("compression/test_round_trips.py",)
REFUSALS = ("compression/test_refusals.py",)
ADAPTIVE = ("compression/test_adaptive.py",)
COMMAND = ("cli/test_cli_compress.py",)

MUTANTS = [
    # ---- compression/coder.py
    Mutant(
        "compression: a carry stops at the first byte of 255",
        "compression/coder.py",
        "bytes([_BYTE + carry & _BYTE]) * self._full",
        "bytes([_BYTE]) * self._full",
        CODER,
    ),
    Mutant(
        "compression: a carry is lost",
        "compression/coder.py",
        "self._settled.append(self._held + carry)",
        "self._settled.append(self._held)",
        CODER,
    ),
    Mutant(
        "compression: rounding leaves a part of the total to nobody",
        "compression/coder.py",
        "    frequencies[probabilities.argmax()] += TOTAL - frequencies.sum()\n",
        "",
        CODER,
    ),
    Mutant(
        "compression: a symbol may have no frequency",
        "compression/coder.py",
        "    frequencies += 1\n",
        "",
        CODER,
    ),
    Mutant(
        "compression: the last bytes are never shortened",
        "compression/coder.py",
        "range(8 * _BYTES, -1, -1)",
        "range(0, -1, -1)",
        CODER,
    ),
    Mutant(
        "compression: a decoder goes on for ever behind the end",
        "compression/coder.py",
        "            if self._missing > _BYTES:\n",
        "            if self._missing > 1 << 30:\n",
        CODER,
    ),
    # ---- compression/adaptive.py
    Mutant(
        "compression: what has been spelt is spelt again",
        "compression/adaptive.py",
        "            self._numbers[literal] = len(self._known)\n",
        "",
        ADAPTIVE,
    ),
    Mutant(
        "compression: nothing is learnt of kinds of lines",
        "compression/adaptive.py",
        "        _count(counts, found, 2)\n",
        "",
        TRIPS,
    ),
    Mutant(
        "compression: longer contexts do not count",
        "compression/adaptive.py",
        "        return contexts if longest is None else [*contexts, longest]\n",
        "        return contexts[:1]\n",
        ADAPTIVE,
    ),
    Mutant(
        "compression: letters whose capital is another letter's are taken for capitals",
        "compression/adaptive.py",
        "len(capital) == 1 and capital.lower() == small",
        "len(capital) == 1",
        ADAPTIVE,
    ),
    # ---- compression/segments.py
    Mutant(
        "compression: a pair of line breaks is parted by the end of a block",
        "compression/segments.py",
        "            if end + reach > len(held):\n",
        "            if end > len(held):\n",
        SEGMENTS,
    ),
    Mutant(
        "compression: a character is cut in two",
        "compression/segments.py",
        "if line[place] & _CONTINUES != _OF_CHARACTER), 0)",
        "if line[place]), 0)",
        SEGMENTS,
    ),
    # ---- compression/parsing.py
    Mutant(
        "compression: a token stands for what it does not show",
        "compression/parsing.py",
        "known = token != UNK and self._shows(self.piece(token, after_space=after_space), piece)",
        "known = token != UNK",
        TRIPS,
    ),
    Mutant(
        "compression: white space goes without saying behind white space",
        "compression/parsing.py",
        "            after_space = ends_in_space(piece)\n",
        "            after_space = False\n",
        ADAPTIVE,
    ),
    Mutant(
        "compression: what the tokenizer leaves out is left out",
        "compression/parsing.py",
        'if "".join(pieces) != text or (breaks',
        "if (breaks",
        TRIPS,
    ),
    Mutant(
        "compression: lines that end as in Windows are read with what they end in",
        "compression/parsing.py",
        'if data.endswith(b"\\r\\n") and not raw:',
        'if data.endswith(b"\\r\\n") and raw:',
        TRIPS,
    ),
    Mutant(
        "compression: bytes that are no text are spelt behind <UNK>",
        "compression/parsing.py",
        "for literal in literals) > len(data)",
        "for literal in literals) > 99 * len(data)",
        TRIPS,
    ),
    Mutant(
        "compression: blank lines are read where models do not know them",
        "compression/parsing.py",
        'if self._independent_lines and data == b"\\n":',
        'if self._independent_lines and data == b"":',
        TRIPS,
    ),
    # ---- compression/transfer.py
    Mutant(
        "compression: a model forgets what it has learnt at every line",
        "compression/transfer.py",
        "            self._predictor.start(forget=False)\n",
        "            self._predictor.start()\n",
        TRIPS,
    ),
    Mutant(
        "compression: lines are read as if each were the first",
        "compression/transfer.py",
        "        if self._independent_lines:\n",
        "        if not self._independent_lines:\n",
        TRIPS,
    ),
    Mutant(
        "compression: the model does not read what was coded",
        "compression/transfer.py",
        "            self._predictor.read(token)\n",
        "",
        TRIPS,
    ),
    # ---- compression/container.py
    Mutant(
        "compression: a damaged file is decompressed",
        "compression/container.py",
        '    if held != check.to_bytes(_CHECK_BYTES, "little"):\n',
        "    if not held:\n",
        COMMAND,
    ),
    Mutant(
        "compression: a damaged header is believed",
        "compression/container.py",
        "        if self._take(_CHECK_BYTES) != _check(plain):\n",
        "        if not self._take(_CHECK_BYTES):\n",
        REFUSALS,
    ),
    Mutant(
        "compression: the checksum of a pipe is not looked at",
        "compression/container.py",
        "if len(rest) != TRAILER_BYTES or rest[-_CHECK_BYTES:] != _check(rest[:-_CHECK_BYTES], self._check):",
        "if len(rest) != TRAILER_BYTES:",
        REFUSALS,
    ),
    # ---- compression/basis.py
    Mutant(
        "compression: any model will do",
        "compression/basis.py",
        "        if header.digest != self.digest:\n",
        "        if not header.digest:\n",
        REFUSALS,
    ),
    Mutant(
        "compression: any machine will do",
        "compression/basis.py",
        "        if header.probe != here.probe:\n",
        "        if not header.probe:\n",
        REFUSALS,
    ),
    Mutant(
        "compression: a model is known by its shape",
        "compression/basis.py",
        "        **model.network.parameters.views,\n",
        "",
        REFUSALS,
    ),
    Mutant(
        "compression: the label makes no difference",
        "compression/basis.py",
        '            "label": model.network.label,\n',
        "",
        TRIPS,
    ),
    # ---- compression/compressing.py
    Mutant(
        "compression: what comes out is not compared with what went in",
        "compression/compressing.py",
        "if contents.trailer() != content.trailer() or not ended:",
        "if not contents.trailer():",
        REFUSALS,
    ),
    # ---- cli/compressing.py
    Mutant(
        "compression: the file that is read is replaced",
        "cli/compressing.py",
        " and path.samefile(file)",
        ' and file == ""',
        COMMAND,
    ),
]
