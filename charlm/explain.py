"""A model that reads a text, step by step, every quantity of its equations by name.

Computed in float64 from the equations that the blocks state, not by the engine: slow, and for looking at.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charlm.checkpoint import TrainedModel
from charlm.nn.arrays import Array, State
from charlm.nn.equations import (
    STATE_SYMBOLS,
    Equation,
    Normalization,
    equations_of,
    evaluate,
    evaluate_step,
    normalizations,
    put_in,
    read_equation,
    state_after,
)
from charlm.nn.language_model import LanguageModel, head_views
from charlm.nn.parameters import below
from charlm.samples import Prompt
from charlm.scoring import log_softmax

OUTPUT = read_equation("output = a + x  # output")
"""What a layer with a residual connection puts out."""


@dataclass(frozen=True)
class Worked:
    """An equation with the numbers of one unit.

    Attributes:
        equation: what it is of.
        steps: its right side with the numbers put in, then with fewer and fewer, down to its value.
        normalizations: of every ``norm`` in it, whose numbers are not of the unit alone.
    """

    equation: Equation
    steps: list[str]
    normalizations: list[Normalization]


@dataclass(frozen=True)
class LayerStep:
    """One step of one layer.

    Attributes:
        equations: the block's, and that of the residual connection where there is one.
        values: every quantity of the step by its name, vectors as [n, 1], and the layer's parameters.
        state_names: what its equations call the state before the step.
    """

    equations: tuple[Equation, ...]
    values: Mapping[str, Array]
    state_names: tuple[str, ...]

    @property
    def output_name(self) -> str:
        """What its equations call what the layer above, or the head, reads."""
        return self.equations[-1].targets[-1]

    @property
    def output(self) -> Array:
        """[H, 1]: what the layer above, or the head, reads."""
        return self.values[self.output_name]

    def of_unit(self, unit: int) -> dict[str, float]:
        """The state before the step and what the equations define, in their order, of a unit counted from 0."""
        names = [*self.state_names, *(name for equation in self.equations for name in equation.targets)]
        return {name: float(self.values[name][unit, 0]) for name in names}

    def worked(self, unit: int) -> list[Worked]:
        """Every equation with the numbers of a unit counted from 0."""
        return [
            Worked(each, put_in(each.value, self.values, unit), normalizations(each.value, self.values))
            for each in self.equations
        ]


@dataclass(frozen=True)
class Guess:
    """A token that may come next.

    Attributes:
        token: as the vocabulary spells it, or would.
        probability: of it, or, where the model does not know it, of <UNK>.
        unknown: whether that is so.
    """

    token: str
    probability: float
    unknown: bool = False


@dataclass(frozen=True)
class Step:
    """What happens when a model reads a token.

    Attributes:
        number: from 1.
        token: what is read, as the text has it; None for the zero vector of the start.
        unknown: whether the model does not know it, and reads <UNK>.
        layers: from the bottom up.
        likeliest: what the model expects next, likeliest first.
        following: what does come next in the text; None at its end.
    """

    number: int
    token: str | None
    unknown: bool
    layers: tuple[LayerStep, ...]
    likeliest: list[Guess]
    following: Guess | None


def explain(model: TrainedModel, prompt: Prompt, top: int = 3) -> Iterator[Step]:
    """Read a prompt from a start, as drawing from it does; one step more than it has tokens.

    Args:
        model: whose numbers.
        prompt: read by ``read_prompt``.
        top: how many of the likeliest next tokens to give.

    Yields:
        The steps, each computed when it is asked for.
    """
    vocabulary, ids = model.tokenizer.vocabulary, prompt.ids.tolist()
    # Unlike the vocabulary's these say what an unknown one was.
    tokens = model.tokenizer.cut(prompt.text)
    unknown = [token_id == model.tokenizer.unknown_id for token_id in ids]
    for index, (layers, logprobs) in enumerate(run(model.network, [-1, *ids])):
        best = np.argsort(-logprobs, kind="stable")[:top].tolist()
        probabilities = np.exp(logprobs).tolist()
        yield Step(
            number=index + 1,
            token=tokens[index - 1] if index else None,
            unknown=index > 0 and unknown[index - 1],
            layers=layers,
            likeliest=[Guess(vocabulary.token(i), probabilities[i]) for i in best],
            following=(Guess(tokens[index], probabilities[ids[index]], unknown[index]) if index < len(ids) else None),
        )


def run(network: LanguageModel, inputs: Iterable[int]) -> Iterator[tuple[tuple[LayerStep, ...], NDArray[np.float64]]]:
    """Evaluate a network's equations in float64, from its initial states.

    Args:
        network: whose parameters; where it has labels, under one of them.
        inputs: ids; -1 is the zero vector.

    Yields:
        For each input the layers' steps, and the log-probability in nats of every next token, [V].
    """
    parameters: dict[str, Array] = {name: view.astype(np.float64) for name, view in network.parameters.views.items()}
    states: list[State] = [tuple(part.astype(np.float64) for part in state) for state in network.initial_states(1)]
    config, table = network.config, parameters["embedding"]
    nothing = np.zeros((config.embedding, 1))
    of_label = nothing if network.label is None else table[config.vocabulary + network.label][:, None]
    for token in inputs:
        x = of_label + (table[token][:, None] if token >= 0 else nothing)
        layers = []
        for k, state in enumerate(states):
            step, states[k] = _layer_step(network, k, below(parameters, f"layers.{k}."), x, state)
            layers.append(step)
            x = step.output
        logits = network.head.logits(head_views(config, parameters), x)
        yield tuple(layers), log_softmax(logits[:, 0].astype(np.float64))


def _layer_step(
    network: LanguageModel, k: int, parameters: Mapping[str, Array], x: Array, state: State
) -> tuple[LayerStep, State]:
    block = network.stack.blocks[k]
    equations, values = equations_of(block), evaluate_step(block, parameters, x, state)
    if network.stack.is_residual(k):
        equations.append(OUTPUT)
        values[OUTPUT.targets[0]] = evaluate(OUTPUT.value, values)
    names = tuple(f"{STATE_SYMBOLS[part]}_prev" for part in block.state_names)
    return LayerStep(tuple(equations), values, names), state_after(block, values)
