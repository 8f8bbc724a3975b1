"""PyTorch's side of each case, with its own modules."""

import time
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence

from bench.task import Task
from bench.texts import LINES, lines

BATCHES = (64, 128, 256)
"""Lines that are scored at once; the fastest size is taken."""


class Modules:
    """Embedding, recurrent layers and head. Its GRU resets after the product."""

    def __init__(self, cell: str, vocabulary: int, embedding: int, hidden: int, layers: int) -> None:
        torch.manual_seed(0)
        self.embed = torch.nn.Embedding(vocabulary, embedding)
        self.recurrent: Any = getattr(torch.nn, cell.partition("-")[0].upper())(embedding, hidden, layers)
        self.head = torch.nn.Linear(hidden, vocabulary)

    def parameters(self) -> list[torch.nn.Parameter]:
        """All of them."""
        return [p for module in (self.embed, self.recurrent, self.head) for p in module.parameters()]


def training(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, window: int, batch: int) -> Task:
    """A training step: forward, backward, clip to norm 1, Adam; the state is carried on."""
    modules = Modules(cell, vocabulary, embedding, hidden, layers)
    parameters = modules.parameters()
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    inputs, targets = torch.randint(vocabulary, (2, window, batch))
    state: Any = None

    def step() -> None:
        nonlocal state
        optimizer.zero_grad()
        output, after = modules.recurrent(modules.embed(inputs), state)
        loss: Any = torch.nn.functional.cross_entropy(modules.head(output).flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = tuple(s.detach() for s in after) if isinstance(after, tuple) else after.detach()

    return Task(step)


def sampling(*, vocabulary: int, embedding: int, hidden: int, layers: int, length: int) -> Task:
    """One sample of an LSTM, step by step, in tokens."""
    modules = Modules("lstm", vocabulary, embedding, hidden, layers)

    def step() -> None:
        token, state, drawn = torch.zeros((1, 1), dtype=torch.int64), None, []
        with torch.inference_mode():
            for _ in range(length):
                output, state = modules.recurrent(modules.embed(token), state)
                token = torch.multinomial(torch.softmax(modules.head(output[0]), -1), 1)
                drawn.append(token)
            torch.cat(drawn).tolist()

    return Task(step, length)


def scoring(cell: str, *, vocabulary: int, embedding: int, hidden: int, layers: int, count: int = LINES) -> Task:
    """The log-probabilities of a file of lines, in tokens: sorted by length, packed, in batches of the best size."""
    modules = Modules(cell, vocabulary, embedding, hidden, layers)
    texts = [torch.from_numpy(text) for text in lines(vocabulary, count)]

    def score(batch: int) -> None:
        # Longest first, as packing wants it, so that a batch holds lines of nearly one length.
        ordered = sorted(texts, key=len, reverse=True)
        with torch.inference_mode():
            for begin in range(0, len(ordered), batch):
                score_batch(modules, ordered[begin : begin + batch])

    best = min(BATCHES, key=lambda batch: seconds(lambda: score(batch)))
    return Task(lambda: score(best), sum(len(text) for text in texts))


def score_batch(modules: Modules, texts: list[torch.Tensor]) -> torch.Tensor:
    """The log-probability of every token of texts that are sorted by falling length, packed."""
    lengths = torch.tensor([len(text) for text in texts])
    targets = pad_sequence(texts)
    # The zero vector before the first token; behind it, each token's embedding is the input of the next.
    embedded = torch.nn.functional.pad(modules.embed(targets[:-1]), (0, 0, 0, 0, 1, 0))
    output, _ = modules.recurrent(pack_padded_sequence(embedded, lengths))
    assert isinstance(output, PackedSequence)
    logprobs = torch.log_softmax(modules.head(output.data), -1)
    return logprobs.gather(1, pack_padded_sequence(targets, lengths).data[:, None])


def seconds(run: Any) -> float:
    """How long something takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
