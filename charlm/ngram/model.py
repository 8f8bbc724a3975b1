"""A counting model with its vocabulary: what it says of texts, and its file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charlm.checkpoint import MODEL_FILE, tokenizer_of, vocabulary_of
from charlm.config import TextConfig
from charlm.errors import ModelError, UsageError
from charlm.files import Tensors, read_tensors
from charlm.ngram.estimating import estimate
from charlm.ngram.probabilities import Judged, distribution, judge
from charlm.ngram.smoothing import Discounts, Real, Smoothed
from charlm.ngram.trie import Trie
from charlm.ngram.workspace import Workspace
from charlm.nn.arrays import Ids
from charlm.scoring import Evaluation, Parts, TokenScores
from charlm.seal import unsealed
from charlm.text.parts import Part
from charlm.text.reading import normalise
from charlm.text.store import GrowingStore, blocks_of, passed_blocks
from charlm.text.tokenizer import Tokenizer

KIND = "n-gram model"
FORMAT = 1
MOST_ORDER = 12
_KEYS = {"format", "kind", "order", "text", "discounts", "record"}


@dataclass(frozen=True, eq=False)
class JudgedLines(Judged):
    """What n-grams say of lines, one after another.

    Attributes:
        ids: int64 [n], of the tokens.
        bounds: [lines + 1], where each line begins, and the end of the last.
    """

    ids: Ids
    bounds: Ids

    @property
    def totals(self) -> Real:
        """Log-probability (nats) of each line [lines]."""
        sums: Real = np.add.reduceat(self.log_probabilities, self.bounds[:-1])
        return sums


@dataclass(frozen=True, eq=False)
class NGramModel:
    """N-grams of tokens.

    Words of the n-grams are the tokenizer's ids, and <s> behind them all. A text begins with <s>, where networks have
    their initial states; its lines follow one another, unless they are independent: then each begins with <s>.

    Attributes:
        trie: the n-grams.
        smoothed: their probabilities.
        tokenizer: text to ids and back.
        text: how the text was read and split.
        record: what was counted: JSON.
    """

    trie: Trie
    smoothed: Smoothed
    tokenizer: Tokenizer
    text: TextConfig
    record: Mapping[str, Any]

    labels: None = None
    """Its texts have none, nor has it names of labels."""
    label_names: None = None

    @property
    def line_end(self) -> int | None:
        """The id that ends a line where every line is a text of its own; None where lines follow one another."""
        return self.tokenizer.line_end_id if self.text.independent_lines else None

    def judge(self, texts: Sequence[Ids]) -> list[Judged]:
        """What it says of each token of each text, each from a start."""
        if not texts:
            return []
        bounds = np.cumsum([0, *map(len, texts)])
        found = self._judge_joined(np.concatenate(texts), bounds)
        pairs = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        return [Judged(found.log_probabilities[a:b], found.orders[a:b]) for a, b in pairs]

    def judge_lines(self, lines: Sequence[str]) -> "JudgedLines":
        """What it says of each token of lines, each from a start and with its <EOS>: as ``judge``, and faster.

        Lines are cut into tokens and looked up all at once, so many of them cost little more than their tokens.

        Args:
            lines: texts, normalised as a file would be.

        Raises:
            UsageError: a line holds a line break, or the model's unit is not the line.
        """
        if self.tokenizer.unit != "line":
            raise UsageError(f"only models of lines score lines; the unit of this one is the {self.tokenizer.unit}")
        ids = self.tokenizer.encode("".join([normalise(line) + "\n" for line in lines]))
        bounds = np.append(0, 1 + np.flatnonzero(ids == self.tokenizer.eos_id))
        if len(bounds) != len(lines) + 1:
            raise UsageError("a line to score holds a line break: score its lines one by one")
        found = self._judge_joined(ids, bounds)
        return JudgedLines(found.log_probabilities, found.orders, ids, bounds)

    def _judge_joined(self, ids: Ids, bounds: Ids) -> Judged:
        """What it says of texts [tokens], given where each begins and the end of all [texts + 1]."""
        starts = bounds[:-1] + np.arange(len(bounds) - 1)
        row = np.full(len(ids) + len(starts), self.trie.words - 1)
        given = np.ones(len(row), np.bool_)
        given[starts] = False
        row[given] = ids
        found = judge(self.trie, self.smoothed, row)
        return Judged(found.log_probabilities[given], found.orders[given])

    def score_texts(self, texts: Sequence[Ids]) -> list[np.ndarray]:
        """Log-probability (nats) of every token of each text, each from a start."""
        return [each.log_probabilities for each in self.judge(texts)]

    def score_tokens(self, texts: Sequence[Ids], best: int = 0) -> list[TokenScores]:
        """As ``score_texts``, with rank and entropy of each token, and so many of the likeliest in its place."""
        found = []
        for text in texts:
            row = np.concatenate(([self.trie.words - 1], np.asarray(text, np.int64)))
            ranks, entropies = np.zeros(len(text), np.int64), np.zeros(len(text))
            likeliest = np.zeros((len(text), min(best, self.trie.words - 1)), np.int64)
            of_likeliest = np.zeros(likeliest.shape)
            for place, token in enumerate(row[1:].tolist()):
                logs = distribution(self.trie, self.smoothed, row[: place + 1])
                ranks[place] = 1 + np.count_nonzero(logs > logs[token])
                entropies[place] = -np.sum(np.exp(logs) * logs)
                likeliest[place] = np.argsort(-logs, kind="stable")[: likeliest.shape[1]]
                of_likeliest[place] = logs[likeliest[place]]
            logprobs = self.judge([text])[0].log_probabilities
            found.append(TokenScores(logprobs, ranks, entropies, likeliest, of_likeliest))
        return found

    def evaluate(self, part: Part, *, exact: bool = False, by_part: Parts | None = None) -> Evaluation:
        """What encoded text costs, whose lines follow one another or are texts by themselves; it is always exact."""
        del exact
        ids = part.ids
        unknown = self.tokenizer.unknown_id
        nats = unknown_nats = 0.0
        unknown_count = passed = 0
        row, done = sequence_of(ids, self.trie.words - 1, self.line_end), 0
        for block in blocks_of(row):
            # The words before a block decide its first probabilities.
            before = row[max(0, done - self.trie.order + 1) : done]
            words = np.concatenate((before, block)).astype(np.int64)
            logs = judge(self.trie, self.smoothed, words).log_probabilities[len(before) :]
            strange = block == (-1 if unknown is None else unknown)
            if by_part is not None:
                given = block != self.trie.words - 1
                by_part.add(passed + np.arange(np.count_nonzero(given)), logs[given])
                passed += int(np.count_nonzero(given))
            nats -= float(logs.sum())
            unknown_nats -= float(logs[strange].sum())
            unknown_count += int(np.count_nonzero(strange))
            done += len(block)
        return Evaluation(nats, len(ids), unknown_nats, unknown_count)


def sequence_of(ids: Ids, start: int, line_end: int | None) -> Ids:
    """Tokens [N] as words with <s> where a text begins; in a mapped file where they are many."""
    with GrowingStore() as store:
        for block in with_starts(ids, start, line_end):
            store.append(block)
        return store.finish()


def with_starts(ids: Ids, start: int, line_end: int | None) -> Iterator[Ids]:
    """Tokens [N] as words with <s> where a text begins, an array after another."""
    begins = True  # whether a text begins with the next token
    for block in passed_blocks(ids):
        ends = block == line_end
        places = np.flatnonzero(np.concatenate(([begins], ends[:-1])))
        begins = bool(ends[-1])
        yield np.insert(block.astype(np.min_scalar_type(start)), places, start)


def learn(
    ids: Ids,
    tokenizer: Tokenizer,
    text: TextConfig,
    order: int,
    record: Mapping[str, Any],
    workspace: Workspace | None = None,
) -> NGramModel:
    """Count training tokens [N], and smooth.

    Args:
        ids: the tokens.
        tokenizer: whose they are.
        text: how the text was read.
        order: of the longest n-grams.
        record: for the model.
        workspace: what memory there is.

    Raises:
        OutputError: a temporary file cannot be written.
    """
    start = len(tokenizer)
    line_end = tokenizer.line_end_id if text.independent_lines else None
    with workspace or Workspace() as space:
        trie, smoothed = estimate(with_starts(ids, start, line_end), start + 1, order, space)
    return NGramModel(trie, smoothed, tokenizer, text, record)


def load_ngram(path: Path) -> NGramModel:
    """Read a counting model's file, or the one in a folder.

    Raises:
        ModelError: it is missing, damaged, of another kind or format, or does not fit itself.
    """
    file = path / MODEL_FILE if path.is_dir() else path
    tensors, metadata = read_tensors(file)
    if metadata.get("kind") != KIND:
        raise ModelError(f"{file} holds a {metadata.get('kind', 'file of another kind')}, not an {KIND}")
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{file} has format {metadata.get('format')}, this charlm reads {FORMAT}: train it anew")
    metadata = unsealed(file, tensors, metadata)
    if set(metadata) != _KEYS:
        raise ModelError(f"{file} is damaged: its metadata has the keys {', '.join(sorted(metadata))}")
    try:
        text = TextConfig.from_json(metadata["text"])
        tokenizer = tokenizer_of(text, vocabulary_of(tensors))
        trie, smoothed = _tables(tensors, len(tokenizer) + 1, metadata)
        return NGramModel(trie, smoothed, tokenizer, text, metadata["record"])
    except (KeyError, ValueError, TypeError, IndexError, UsageError, ModelError) as error:
        raise ModelError(f"{file} is damaged: {error}") from error


def _tables(tensors: Tensors, words: int, metadata: Mapping[str, Any]) -> tuple[Trie, Smoothed]:
    """The n-grams and their probabilities from a file's tensors, which may come from anybody.

    Raises:
        ValueError: they do not fit one another.
    """
    order = metadata["order"]
    if not isinstance(order, int) or not 1 <= order <= MOST_ORDER:
        raise ValueError(f"its order is {order!r}")
    keys, size = [], words
    logs, backoffs = [tensors["log_probability.1"]], []
    for each in range(2, order + 1):
        followers, last = (tensors[f"{name}.{each}"].astype(np.int64) for name in ("followers", "last"))
        if followers.shape != (size,) or last.ndim != 1 or followers.sum() != len(last) or (last >= words - 1).any():
            raise ValueError(f"its {each}-grams do not fit those of order {each - 1}")
        found = np.repeat(np.arange(size), followers) * words + last
        if (np.diff(found) <= 0).any():
            raise ValueError(f"its {each}-grams are not in order")
        keys.append(found)
        logs.append(tensors[f"log_probability.{each}"])
        backoffs.append(tensors[f"log_backoff.{each - 1}"])
        size = len(found)
    sizes = [words, *map(len, keys)]
    shapes = [(len(each),) == each.shape for each in (*logs, *backoffs)]
    if [len(each) for each in logs] != sizes or [len(each) for each in backoffs] != sizes[:-1] or not all(shapes):
        raise ValueError("its probabilities do not fit its n-grams")
    if not all(np.isfinite(each).all() for each in (*logs, *backoffs)) or any((each > 0).any() for each in logs):
        raise ValueError("a probability is none")
    discounts = tuple(Discounts(tuple(each["values"]), bool(each["estimated"])) for each in metadata["discounts"])
    as_float = [tuple(each.astype(np.float64) for each in some) for some in (logs, backoffs)]
    return Trie(words, tuple(keys)), Smoothed(as_float[0], as_float[1], discounts)
