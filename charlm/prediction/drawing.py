"""Text drawn from a predictor, which adapts to its own words as to those that it is given."""

from collections.abc import Iterator

import numpy as np

from charlm.prediction.predictor import Predictor
from charlm.sampling.config import SamplingConfig
from charlm.sampling.drawing import Chooser
from charlm.sampling.many import Stream
from charlm.sampling.progress import Progress
from charlm.sampling.side_by_side import Job
from charlm.sampling.stream import generator_of, numbers_of


def draw_adapted(predictor: Predictor, job: Job, config: SamplingConfig) -> Stream:
    """Draw a sample as one stream, as ``charlm.sampling.many.draw_one`` does from a network.

    Args:
        predictor: what to draw from; it forgets first, and is this sample's alone until that ends.
        job: prompt and seed.
        config: how.

    Raises:
        UsageError: ``config.never`` leaves nothing to draw.
    """
    chooser, progress = Chooser(config, predictor.vocabulary), Progress(config, predictor.vocabulary, 1)

    def tokens() -> Iterator[int]:
        predictor.start()
        for token in job.prompt.tolist():
            predictor.read(token)
        numbers = numbers_of(generator_of(job.seed))
        ended = not progress.begin(0, job.prompt)
        while not ended:
            logs, uniform = predictor.log_probabilities()[:, None], np.array([next(numbers)])
            choice = chooser.choose(logs, uniform, progress.recent(), progress.allowed())
            ended = bool(progress.take(choice))
            yield int(choice.ids[0])
            if not ended:
                predictor.read(int(choice.ids[0]))

    return Stream(tokens(), lambda: progress.drawn(0))
