"""Errors in how texts that are too long for memory are read, scored and shown."""

from planted.mutant import Mutant

LONG = ("cli/test_cli_long.py",)
INPUTS = ("text/test_text_inputs.py",)
BLOCKS = ("text/test_text_long.py",)
FIGURES = ("test_score_figures.py",)
FOLLOWING = ("cli/test_cli_following.py",)

SERVED = ("cli/test_cli_score.py",)

MUTANTS = [
    Mutant(
        "long texts: of a byte that is not in the encoding the code point is told",
        "text/inputs.py",
        "        return None if found is None else ord(found[0]) - _ESCAPES\n",
        "        return None if found is None else ord(found[0])\n",
        SERVED,
        "not_in_the_encoding",
    ),
    Mutant(
        "long texts: on the disk every text is in its encoding",
        "text/inputs.py",
        "        if spooled := _SPOOLED.search(end + block):\n",
        "        if spooled := _SPOOLED.search(end):\n",
        SERVED,
        "not_in_the_encoding",
    ),
    Mutant(
        "long texts: an escaped byte across two blocks is not seen",
        "text/inputs.py",
        "        end = block[1 - _WIDTH :]\n",
        "",
        INPUTS,
    ),
    Mutant(
        "long texts: a line is answered by another line's number",
        "cli/score_output.py",
        "enumerate(texts, start=1):\n        byte",
        "enumerate(texts):\n        byte",
        SERVED,
        "not_in_the_encoding",
    ),
    Mutant(
        "long texts: a block's first token comes behind a start",
        "streams.py",
        "                self._before[lane] = some[-1]\n",
        "                self._before[lane] = some[-1] if self._ids[lane].size > some.size else -1\n",
        FIGURES,
        "every_figure",
    ),
    Mutant(
        "long texts: the next text of a lane goes on with the state of the one before",
        "streams.py",
        "            self._before[lane] = -1\n",
        "            self._before[lane] = max(0, self._before[lane])\n",
        FIGURES,
        "every_figure",
    ),
    Mutant(
        "long texts: n-grams forget the words before a block",
        "ngram/streams.py",
        "before = words[max(0, len(words) - reach) :]",
        "before = words[:0]",
        LONG,
        "in_memory and ngrams",
    ),
    Mutant(
        "long texts: the first of a window's tokens passes for the last",
        "long_scores.py",
        "last[some.texts] = some.logprobs ",
        "last[some.texts[::-1]] = some.logprobs[::-1] ",
        FIGURES,
        "every_figure",
    ),
    Mutant(
        "long texts: what is unknown counts for all that is known",
        "scores.py",
        "logprob_without_oov=sums.logprob - sums.unknown_logprob",
        "logprob_without_oov=sums.unknown_logprob",
        FIGURES,
        "every_figure",
    ),
    Mutant(
        "long texts: unknown tokens are not shared",
        "scores.py",
        "logprob = sums.logprob - sums.oov * math.log(unk_vocabulary)",
        "logprob = sums.logprob",
        FIGURES,
        "every_figure",
    ),
    Mutant(
        "long texts: the piece before the last is dropped",
        "text/inputs.py",
        "            for each in self._parts:\n",
        "            for each in self._parts[-1:]:\n",
        INPUTS,
        "on_the_disk",
    ),
    Mutant(
        "long texts: a line that grows too long stays in memory",
        "text/inputs.py",
        "self.length > LONGEST",
        "self.length > 1 << 40",
        INPUTS,
        "on_the_disk",
    ),
    Mutant(
        "long texts: words are parted where blocks are",
        "text/words_in.py",
        'block.count("\\n") - goes_on',
        'block.count("\\n")',
        ("text/test_text_words_in.py",),
        "blocks",
    ),
    Mutant(
        "long texts: an end that is missing is not supplied to characters",
        "text/characters.py",
        "    yield segmenter.finish()\n",
        "    yield segmenter.flush()\n",
        BLOCKS,
        "whole",
    ),
    Mutant(
        "following: a file counts as read before it is scored",
        "cli/following.py",
        "self._bar.move(self._done + (self._read - self._done) * min(1, self._passed / self._on_disk))",
        "self._bar.move(self._read)",
        FOLLOWING,
        "how_far",
    ),
    Mutant(
        "following: the bar stands among the scores",
        "cli/following.py",
        "            self._bar.hide()\n",
        "",
        FOLLOWING,
        "lines_of_their_own",
    ),
]
