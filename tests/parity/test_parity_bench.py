"""PyTorch's side of the benchmark does the work that charlm's side does."""

from inspect import signature
from typing import Any

import pytest
import torch
from bench import charlm_engine, torch_engine
from bench.cases import every_case

SIZES = {"vocabulary": 11, "embedding": 6, "hidden": 5, "layers": 2}


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("training", {"cell": "gru-before", "window": 4, "batch": 3}),
        ("training", {"cell": "lstm", "window": 4, "batch": 3}),
        ("sampling", {"length": 7}),
        ("scoring", {"cell": "gru-after", "count": 70}),
    ],
)
def test_both_sides_take_steps_of_the_same_amount(task: str, more: dict[str, Any]) -> None:
    ours, theirs = (getattr(engine, task)(**SIZES, **more) for engine in (charlm_engine, torch_engine))
    assert ours.amount == theirs.amount
    for side in (ours, theirs):
        side.step()
        side.step()


def test_every_side_of_pytorch_can_be_made_of_its_arguments() -> None:
    sides = [case.peer for case in every_case() if case.peer.engine == "torch"]
    assert sides
    for side in sides:
        signature(getattr(torch_engine, side.task)).bind(**side.arguments)


def test_packed_texts_are_scored_as_each_alone() -> None:
    modules = torch_engine.Modules("lstm", **SIZES)
    texts = [torch.tensor(ids) for ids in ([1, 2, 3, 4], [5, 6], [7])]
    alone: dict[tuple[int, int], torch.Tensor] = {}
    with torch.inference_mode():
        packed = torch_engine.score_batch(modules, texts)
        for lane, text in enumerate(texts):
            vectors = torch.cat([torch.zeros(1, SIZES["embedding"]), modules.embed(text[:-1])])
            logprobs = torch.log_softmax(modules.head(modules.recurrent(vectors)[0]), -1)
            for step, token in enumerate(text.tolist()):
                alone[step, lane] = logprobs[step, token]
    # Packed, all lanes' first tokens come first.
    expected = torch.stack([alone[key] for key in sorted(alone)])
    torch.testing.assert_close(packed[:, 0], expected)
