"""Constraints, and any number of samples: one stream, few lanes and many keep to the same rules."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nn_cases import fresh_model

from charlm.errors import UsageError
from charlm.sampling.config import Filters, SamplingConfig
from charlm.sampling.constraints import COMPLETE, DEAD_END, EOS, LENGTH, Constraint
from charlm.sampling.many import FEW_LANES, draw_many, draw_one
from charlm.sampling.side_by_side import MOST_LANES, Job, sample_side_by_side
from charlm.scoring import log_softmax, score_texts

if TYPE_CHECKING:
    from charlm.sampling.drawn import Drawn

VOCABULARY = 7
MODEL = fresh_model("lstm", vocabulary=VOCABULARY, hidden=6, embedding=4)
NOTHING = np.zeros(0, np.int64)


class Rising(Constraint):
    """Every id is larger than the one before, the prompt's last included."""

    def begin(self, prompt: np.ndarray) -> int:
        """The prompt's last id."""
        return int(prompt[-1]) if len(prompt) else 0

    def after(self, state: int, token: int) -> int:
        """The last id."""
        assert token > state
        return token

    def allowed(self, state: int) -> np.ndarray:
        """Larger ones."""
        return np.arange(VOCABULARY) > state


class Counted(Constraint):
    """At least so many tokens, and at most so many."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def begin(self, prompt: np.ndarray) -> int:
        """None yet."""
        del prompt
        return 0

    def after(self, state: int, token: int) -> int:
        """One more."""
        del token
        return state + 1

    def may_end(self, state: int) -> bool:
        """From the least number on."""
        return state >= self.least

    def must_end(self, state: int) -> str | None:
        """At the largest."""
        return "counted" if state == self.most else None


def drawn(config: SamplingConfig, number: int, *prompts: list[int]) -> list[Drawn]:
    """So many samples a prompt, round by round."""
    jobs = (
        Job(np.array(prompt, np.int64), (3, index, place))
        for index in range(number)
        for place, prompt in enumerate(prompts or ([],))
    )
    return [stream.drawn for stream in draw_many(MODEL, jobs, config)]


@pytest.mark.parametrize("number", [1, FEW_LANES, 100])
def test_a_constraint_holds_at_every_token(number: int) -> None:
    """Whether in a stream of its own, in few lanes or in many; and where it leaves nothing, a sample is complete."""
    found = drawn(SamplingConfig(50, constraints=(Rising(),)), number)
    for each in found:
        assert all(a < b for a, b in pairwise([0, *each.ids.tolist()]))
        assert each.ids[-1] == VOCABULARY - 1
        assert each.stop == COMPLETE
    if number == 100:
        assert len({tuple(each.ids) for each in found}) > 10


def test_a_constraint_reads_the_prompt() -> None:
    found = drawn(SamplingConfig(50, constraints=(Rising(),)), 20, [3], [1, 2])
    assert {int(each.ids[0]) for each in found[::2]} <= {4, 5, 6}
    assert 3 in {int(each.ids[0]) for each in found[1::2]}


@pytest.mark.parametrize("number", [1, 30])
def test_when_a_sample_may_and_must_end(number: int) -> None:
    """A token that ends it is not drawn before it may; and at the latest it ends where it must."""
    config = SamplingConfig(50, stop=(0, 1), constraints=(Counted(3, 6),))
    found = drawn(config, number)
    for each in found:
        assert 3 < len(each.ids) <= 6 or each.stop == EOS
        assert not {0, 1} & set(each.ids[:3].tolist())
        assert each.stop == (EOS if each.ids[-1] in (0, 1) else "counted")
    if number > 1:
        assert {each.stop for each in found} == {EOS, "counted"}


class Even(Rising):
    """No odd id."""

    def after(self, state: int, token: int) -> int:
        """The last id."""
        del state
        return token

    def allowed(self, state: int) -> np.ndarray:
        """Even ones."""
        del state
        return np.asarray(np.arange(VOCABULARY) % 2 == 0)


@pytest.mark.parametrize("constraints", [(Rising(), Even()), (Even(), Rising())])
def test_what_one_of_two_constraints_forbids_is_forbidden(constraints: tuple[Constraint, ...]) -> None:
    texts = {tuple(each.ids.tolist()) for each in drawn(SamplingConfig(9, constraints=constraints), 60)}
    assert texts == {(2, 4, 6), (2, 6), (4, 6), (6,)}


def test_several_constraints_all_hold() -> None:
    found = drawn(SamplingConfig(50, constraints=(Rising(), Counted(0, 2))), 20)
    assert {each.stop for each in found} == {"counted", COMPLETE}
    assert all(len(each.ids) <= 2 and (np.diff(each.ids) > 0).all() for each in found)


@pytest.mark.parametrize("number", [1, 9])
def test_a_sample_that_cannot_begin_is_empty(number: int) -> None:
    """It says why: what it must not, and cannot, do any more is a dead end."""
    found = drawn(SamplingConfig(9, constraints=(Rising(),)), number, [VOCABULARY - 1])
    assert [(each.ids.tolist(), each.stop) for each in found] == [([], COMPLETE)] * number
    found = drawn(SamplingConfig(9, constraints=(Rising(), Counted(5, 6))), number, [VOCABULARY - 1])
    assert [each.stop for each in found] == [DEAD_END] * number
    found = drawn(SamplingConfig(9, constraints=(Counted(0, 0),)), number)
    assert [each.stop for each in found] == ["counted"] * number
    assert [each.stop for each in drawn(SamplingConfig(0), number)] == [LENGTH] * number


def test_what_is_never_drawn_is_not_allowed_by_a_constraint() -> None:
    """Where a constraint leaves nothing else, nothing is left."""
    found = drawn(SamplingConfig(9, never=(5, 6), constraints=(Rising(),)), 40)
    assert {each.stop for each in found} == {COMPLETE}
    assert {int(each.ids[-1]) for each in found} == {4}


def test_a_dead_end_is_found_in_the_middle() -> None:
    found = drawn(SamplingConfig(9, constraints=(Rising(), Counted(5, 6))), 40)
    assert DEAD_END in {each.stop for each in found}
    assert {len(each.ids) >= 5 for each in found if each.stop != DEAD_END} <= {True}


def test_constraints_that_permit_everything_change_nothing() -> None:
    """Nor does keeping figures: the same tokens, bit for bit."""
    plain = drawn(SamplingConfig(20, stop=(2,)), 30)
    held = drawn(SamplingConfig(20, stop=(2,), constraints=(Counted(0, 99),), details=True, alternatives=2), 30)
    for one, other in zip(plain, held, strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        assert one.stop == other.stop


HOW: list[dict[str, Any]] = [
    {},
    {"filters": Filters(top_k=4, penalty=1.5, window=3)},
    {"constraints": (Counted(2, 9),)},
]


@pytest.mark.parametrize("how", HOW)
def test_more_samples_do_not_change_the_first_ones(how: dict[str, Any]) -> None:
    """Bit for bit, log-probabilities included: one, a few, more than the lanes; with several prompts, too."""
    config = SamplingConfig(30, 0.9, stop=(0,), details=True, alternatives=2, **how)
    model_dtype = fresh_model("lstm", vocabulary=VOCABULARY, hidden=48, embedding=16, dtype=np.float32)

    def run(number: int) -> list[Drawn]:
        jobs = (
            Job(np.array(prompt, np.int64), (1, index, place))
            for index in range(number)
            for place, prompt in enumerate(([], [2, 3, 4]))
        )
        return [stream.drawn for stream in draw_many(model_dtype, jobs, config)]

    everything = run(2 * MOST_LANES)
    assert len({each.ids.tobytes() for each in everything}) > MOST_LANES
    for number in (1, 4, 5, 40):
        for one, other in zip(run(number), everything[: 2 * number], strict=True):
            assert one.ids.tobytes() == other.ids.tobytes()
            assert one.details is not None
            assert other.details is not None
            for name, figures in vars(one.details).items():
                assert figures.tobytes() == vars(other.details)[name].tobytes()


def test_log_probabilities_are_those_of_scoring() -> None:
    """In every way of drawing: the sum over a sample is what the text scores."""
    for each in drawn(SamplingConfig(25, 0.5, details=True, filters=Filters(top_p=0.9)), 20):
        assert each.details is not None
        [scored] = score_texts(MODEL, [each.ids])
        np.testing.assert_allclose(each.details.logprobs, scored, atol=1e-9)
        assert (each.details.drawn_logprobs > each.details.logprobs).any()


def test_a_repetition_penalty_reaches_as_far_as_its_window() -> None:
    """The prompt's end included: with a window of two, neither of the last two tokens comes at such a penalty."""
    for number in (1, 20):
        config = SamplingConfig(40, filters=Filters(penalty=100.0, window=2))
        for each in drawn(config, number, [1, 5, 6]):
            text = [5, 6, *each.ids.tolist()]
            assert all(token not in text[place : place + 2] for place, token in enumerate(text[2:]))
            assert any(token in text[place : place + 2] for place, token in enumerate(text[3:]))


def test_a_penalty_knows_nothing_of_the_sample_before() -> None:
    """Samples that follow one another in a lane are those that are drawn alone."""
    config = SamplingConfig(6, filters=Filters(penalty=3.0, window=50))
    jobs = [Job(np.array([index % 5], np.int64), (9, index)) for index in range(20)]
    for index, found in sample_side_by_side(MODEL, jobs, config, 2):
        assert found.ids.tolist() == draw_one(MODEL, jobs[index], config).drawn.ids.tolist()


def test_a_stream_is_read_while_it_is_drawn() -> None:
    """Token by token, and its record is the whole of it however much has been read."""
    for config in (SamplingConfig(30), SamplingConfig(30, filters=Filters(top_k=3))):
        whole = draw_one(MODEL, Job(NOTHING, (5,)), config).drawn
        stream = draw_one(MODEL, Job(NOTHING, (5,)), config)
        first = [next(iter(stream)) for _ in range(4)]
        assert first == whole.ids[:4].tolist()
        assert stream.drawn.ids.tolist() == whole.ids.tolist()
        assert stream.drawn.stop == LENGTH


def test_samples_are_drawn_when_they_are_asked_for() -> None:
    """A million are begun with no more of them in memory than there are lanes."""
    begun = 0

    def jobs() -> Any:
        nonlocal begun
        for index in range(1_000_000):
            begun += 1
            yield Job(NOTHING, (index,))

    streams = draw_many(MODEL, jobs(), SamplingConfig(3))
    for _ in range(100):
        assert len(next(streams).drawn.ids) == 3
    assert begun < 100 + 3 * MOST_LANES


def test_everything_excluded_is_a_usage_error() -> None:
    hows: list[dict[str, Any]] = [{}, {"constraints": (Rising(),)}, {"filters": Filters(top_k=1)}]
    for how in hows:
        with pytest.raises(UsageError, match="nothing left"):
            drawn(SamplingConfig(3, never=tuple(range(VOCABULARY)), **how), 1)


def test_the_distribution_under_a_constraint_is_the_model_s_over_what_it_allows() -> None:
    config = SamplingConfig(1, constraints=(Rising(),), details=True)
    for each in drawn(config, 10, [4]):
        assert each.details is not None
        work = MODEL.new_workspace(1, 1)
        states = MODEL.initial_states(1)
        for token in (-1, 4):
            logits, states = MODEL.logits(work, np.array([[token]]), None, states)
        allowed = log_softmax(logits[5:, 0, 0].astype(np.float64))
        assert each.details.drawn_logprobs[0] == pytest.approx(allowed[int(each.ids[0]) - 5])
