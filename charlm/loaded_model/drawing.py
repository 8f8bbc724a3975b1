"""Text from a model."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Unpack

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.filling import WIDTH, Filled, fill
from charlm.loaded_model.loaded import Loaded
from charlm.matching.limits import BUDGET, SECONDS
from charlm.measuring import part_given
from charlm.novelty.copies import TRIES, Copied, TrainingText, novel_samples
from charlm.sample_options import BeamOptions, SampleOptions, beam_config, sampling_config
from charlm.samples import Prompt, Sample, draw_samples, find_samples, read_prompt
from charlm.sampling.config import SamplingConfig
from charlm.training.from_python import Paths
from charlm.training.setup import own_corpus, own_texts


class Drawing(Loaded):
    """The methods of ``charlm.Model`` that draw texts, search for them, and compare them with the text trained on."""

    def sample(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        label: str | None = None,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts.

        Args:
            number: how many for each prompt; more of them do not change the first ones.
            prompt: what each begins with; of several, the first sample of every one comes first.
            seed: the same seed gives the same texts as ``charlm sample --seed``; None for a random one.
            label: which the texts are to have, for a model of texts with labels.
            **options: the keys of ``SampleOptions``, which are the options of ``charlm sample``.

        Returns:
            The texts, each with its prompt and as the model wrote it, a line's end included.

        Raises:
            UsageError: an argument is out of range, or prompt, label or an option do not fit the model.
        """
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, **options)
        return [each.text for each in self._drawn(model, prompts, number, seed, config)]

    def samples(
        self,
        number: int = 1,
        *,
        prompt: str | Sequence[str] = "",
        seed: int | None = None,
        label: str | None = None,
        alternatives: int = 0,
        **options: Unpack[SampleOptions],
    ) -> Iterator[Sample]:
        """Draw texts with the log-probabilities of their tokens and the reason why each ended, one after another.

        Args:
            number: how many for each prompt, of which few are in memory at a time.
            prompt: as in ``sample``, which draws the same texts.
            seed: likewise.
            label: likewise.
            alternatives: of how many of the likeliest tokens in each place to tell, too.
            **options: likewise.

        Raises:
            UsageError: as ``sample``.
        """
        require("alternatives", alternatives, minimum=0)
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, details=True, alternatives=alternatives, **options)
        return self._drawn(model, prompts, number, seed, config)

    def beams(
        self,
        number: int = 1,
        *,
        beams: int = 8,
        prompt: str = "",
        label: str | None = None,
        **options: Unpack[BeamOptions],
    ) -> list[Sample]:
        """Search for the likeliest texts, as ``charlm sample --beams`` does; see ``charlm.sampling.beams``.

        Args:
            number: how many to find, at most ``beams``.
            beams: beginnings that are kept at each step.
            prompt: what each begins with.
            label: under which they are read, for a model of texts with labels.
            **options: the keys of ``BeamOptions``.

        Returns:
            The texts, best first, with ``score`` and ``logprob``.

        Raises:
            UsageError: an argument is out of range, or prompt, label or an option do not fit the model.
        """
        model, prompts = self._begun(prompt, label)
        return list(find_samples(model, prompts, beam_config(model, beams, number, **options)))

    def matching(
        self,
        pattern: str,
        number: int = 1,
        *,
        prompt: str = "",
        seed: int | None = None,
        label: str | None = None,
        budget: int = BUDGET,
        seconds: float = SECONDS,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts that match a regular expression, by masking what cannot lead to a match; see ``charlm.matching``.

        Args:
            pattern: as the package ``regex`` has it; what is drawn matches from end to end, the prompt being no part.
            number: how many.
            prompt: what each begins with.
            seed: as in ``sample``, and as ``charlm sample --match`` has it.
            label: likewise.
            budget: tokens that may be tried for each text.
            seconds: of processor time that the pattern may take for each text.
            **options: as in ``sample``, but for those that end a sample.

        Raises:
            UsageError: there is no such pattern, or no token can begin a match of it; or as ``sample``.
            SearchError: nothing that matches was found within the budget, or the pattern takes too long.
        """
        require("number", number, minimum=1)
        model, prompts = self._begun(prompt, label)
        config = sampling_config(model, **options)
        seed = secrets.randbelow(1 << 32) if seed is None else seed
        found = draw_samples(model, prompts, seed, number, config, match=pattern, budget=budget, seconds=seconds)
        return [each.text for each in found]

    def fill(
        self,
        template: str,
        number: int = 10,
        *,
        longest: int | None = None,
        width: int = WIDTH,
        label: str | None = None,
    ) -> list[Filled]:
        """What may stand in the gaps of a text, the likeliest whole text first; see ``charlm.filling``.

        Args:
            template: a text with ``___`` for each gap.
            number: how many to give, at most.
            longest: most tokens in a gap; None for 12 characters or bytes, or 3 words.
            width: candidates of each length that are kept; more find more.
            label: as in ``sample``.

        Raises:
            UsageError: there is no gap, an argument is out of range, or text or label do not fit the model.
            SearchError: nothing was found that fits.
        """
        return fill(self.trained.under(label), template, number, longest=longest, width=width)

    def copied(self, texts: str | Sequence[str], corpus: Paths | None = None) -> list[Copied | None]:
        """The longest stretch of each text that stands verbatim in the training text, as ``charlm sample --novelty``.

        Args:
            texts: one or several.
            corpus: path of the training text, or several, where they are not where they were.

        Returns:
            For each text its longest stretch; None where no token of it stands there.

        Raises:
            InputError: the training text is not there, or has changed.
        """
        return list(map(self._training(corpus).copied, map(self.encode, [texts] if isinstance(texts, str) else texts)))

    def novel(
        self,
        number: int = 1,
        *,
        most: int,
        tries: int | None = None,
        corpus: Paths | None = None,
        prompt: str = "",
        seed: int | None = None,
        label: str | None = None,
        **options: Unpack[SampleOptions],
    ) -> list[str]:
        """Draw texts that copy little of the training text, as ``charlm sample --max-copy``.

        Args:
            number: how many.
            most: tokens in a row that may stand in the training text; samples with more are left out.
            tries: samples that may be drawn; None for twenty for each that is wanted.
            corpus: as in ``copied``.
            prompt: what each begins with; it may stand there.
            seed: as in ``sample``.
            label: likewise.
            **options: likewise.

        Raises:
            SearchError: there were not enough among those that were drawn.
            InputError: as ``copied``.
            UsageError: as ``sample``.
        """
        require("most", most, minimum=0)
        model, prompts = self._begun(prompt, label)
        drawn = self._drawn(model, prompts, tries or TRIES * number, seed, sampling_config(model, **options))
        return [each.text for each in novel_samples(drawn, self._training(corpus), most, number)]

    def _training(self, corpus: Paths | None) -> TrainingText:
        model, remedy = self.trained, "name it with corpus="
        if corpus is not None:
            return TrainingText(model, part_given(model, corpus, None))
        return TrainingText(model, own_corpus(model, *own_texts(model, remedy), remedy).train)

    def _begun(self, prompt: str | Sequence[str], label: str | None) -> tuple[TrainedModel, list[Prompt]]:
        model = self.trained.under(label)
        return model, [read_prompt(model, each) for each in ([prompt] if isinstance(prompt, str) else prompt)]

    @staticmethod
    def _drawn(
        model: TrainedModel, prompts: list[Prompt], number: int, seed: int | None, config: SamplingConfig
    ) -> Iterator[Sample]:
        require("number", number, minimum=1)
        return draw_samples(model, prompts, secrets.randbelow(1 << 32) if seed is None else seed, number, config)
