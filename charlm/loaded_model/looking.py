"""What goes on inside a model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charlm.config import require
from charlm.explain import Step, explain
from charlm.gradients import Measurement, measure
from charlm.loaded_model.loaded import Loaded
from charlm.neurons import Found, activations
from charlm.samples import read_prompt
from charlm.seeing import heatmap, units_that_follow
from charlm.text.reading import normalise


class Looking(Loaded):
    """The methods of ``charlm.Model`` that show how a prediction comes about."""

    def explain(self, text: str = "", *, top: int = 3, label: str | None = None) -> list[Step]:
        """Every quantity of every step in which the model reads a text, in float64, as ``charlm explain`` prints.

        Args:
            text: what to read; the first step stands before it.
            top: how many of the likeliest next tokens to give.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: an argument is out of range, or text or label do not fit the model.
        """
        require("top", top, minimum=1)
        model = self.trained.under(label)
        return list(explain(model, read_prompt(model, text), top))

    def gradients(
        self, text: str, *, lags: int = 50, positions: int = 256, seed: int = 1, label: str | None = None
    ) -> Measurement:
        """How the gradient of a prediction fades over the steps before it, as ``charlm gradients`` prints.

        Args:
            text: what to measure on.
            lags: most steps to go back.
            positions: how many positions to average over.
            seed: of their draw.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: ``lags`` or ``positions`` is below 1, or the label does not fit the model.
            InputError: the text is too short.
        """
        model, ids = self.trained.under(label), self.trained.tokenizer.encode_sentence(normalise(text))
        return measure(model.network, ids, line_end=model.line_end, lags=lags, positions=positions, seed=seed)

    def activations(self, text: str, *, part: str = "hidden", label: str | None = None) -> NDArray[np.float32]:
        """Every unit's value when the model has read each token of a text, as ``charlm neurons`` shows it.

        Args:
            text: what to read; its tokens are those of ``encode``.
            part: "hidden", the activation a, or "cell", the cell c.
            label: under which it is read, for a model of texts with labels.

        Returns:
            float32 [layers, time, units]; where lines are independent, 0 at their ends, which are never read.

        Raises:
            UsageError: the units have no such part, or the label does not fit the model.
        """
        model = self.trained.under(label)
        return activations(model.network, self.encode(text), line_end=model.line_end, part=part)

    def heatmap(
        self,
        text: str | bytes | Sequence[str | bytes],
        *,
        title: str = "a text",
        unk_vocabulary: int = 1,
        label: str | None = None,
    ) -> str:
        """A text, or several, coloured by surprise: a page of HTML, as ``charlm score --heatmap`` writes.

        Args:
            text: what to show; encode the page as UTF-8 to keep it.
            title: what it is, for the page's heading.
            unk_vocabulary: how many tokens share the probability of <UNK> evenly.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: ``unk_vocabulary`` is not positive, or the label does not fit the model.
        """
        texts = [text] if isinstance(text, str | bytes) else text
        return heatmap(self.trained.under(label), texts, title, unk_vocabulary)

    def find_units(
        self,
        text: str,
        find: str | None = None,
        *,
        find_regex: str | None = None,
        part: str = "hidden",
        best: int = 10,
        label: str | None = None,
    ) -> Found:
        """The units that follow a property of a text best, as ``charlm neurons --find`` prints them.

        Args:
            text: what to read: units are chosen on its first half.
            find: the property, such as "quotes", "depth" or "place".
            find_regex: instead, a regular expression: whether a match of it covers a token.
            part: "hidden", the activation a, or "cell", the cell c.
            best: how many units.
            label: under which it is read, for a model of texts with labels.

        Raises:
            UsageError: not one property is named, or an argument or the label does not fit the model.
            InputError: the text is empty, or a half of it has the property nowhere or everywhere.
        """
        return units_that_follow(self.trained.under(label), text, find, find_regex, part=part, best=best)
