"""How texts are drawn, as people say it: characters, words and texts, and what they mean to one model."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from charlm.checkpoint import TrainedModel
from charlm.config import require
from charlm.errors import UsageError
from charlm.sampling.config import LENGTH_PENALTY, PENALTY_WINDOW, BeamConfig, Filters, SamplingConfig
from charlm.sampling.constraints import Constraint
from charlm.sampling.text_stops import TextStops
from charlm.text.level import to_utf8
from charlm.text.reading import normalise
from charlm.text.tokenizer import Tokenizer
from charlm.text.vocabulary import EOS, MARK, SPECIAL_TOKENS, UNK

DEFAULT_LENGTH = 500
"""Tokens that are drawn at most where nobody said, and nothing else ends a sample."""
LONGEST = 10_000
"""The same where something else was named that ends it, in case that it never comes."""

_KEEPING = {"top_k": "--top-k", "top_p": "--top-p", "min_p": "--min-p", "typical": "--typical"}
"""Options that keep some of the likeliest tokens, whichever of these is drawn."""


class TextOptions(TypedDict, total=False):
    """What a text may hold and where it ends, whether it is drawn or searched for.

    length: most tokens, the prompt not counted. Default: 500; 10,000 with another end.
    ban: none of these characters or words.
    only: no others than these characters or words, and what ends a text.
    unknown: whether <UNK> may come.
    lines: end after so many lines.
    stop: end with one of these texts, which belongs to the text.
    until_eos: end with <EOS>, however late.
    """

    length: int | None
    ban: Sequence[str]
    only: Sequence[str]
    unknown: bool
    lines: int | None
    stop: Sequence[str]
    until_eos: bool


class SampleOptions(TextOptions, total=False):
    """Everything about a sample that can be chosen: the keys of ``TextOptions``, and how it is drawn.

    temperature: below 1 safer, above 1 bolder, 0 the likeliest token always. Default: 1.
    top_k: draw from so many of the likeliest tokens.
    top_p: draw from the smallest set of the likeliest tokens with this probability together.
    min_p: draw from tokens with at least this share of the likeliest one's probability.
    typical: draw from the smallest set of the most typical tokens with this probability together.
    repetition_penalty: multiply log-probabilities of recent tokens by this. Default: 1.
    penalty_window: tokens back to which that reaches. Default: 64.
    """

    temperature: float
    top_k: int | None
    top_p: float
    min_p: float
    typical: float
    repetition_penalty: float
    penalty_window: int


class BeamOptions(TextOptions, total=False):
    """Everything about a search: the keys of ``TextOptions``, and how widely to search.

    groups: so many groups of beams choose one after another. Default: 1.
    diversity: nats that a token loses for each earlier group's text that has just taken it. Default: 0.
    length_penalty: alpha of Wu et al. 2016; 0 for the log-probability itself. Default: 0.6.
    """

    groups: int
    diversity: float
    length_penalty: float


class _Bounds(TypedDict):
    """What ``TextOptions`` mean to a model, by the names that both configurations have for it."""

    length: int
    never: tuple[int, ...]
    stop: tuple[int, ...]
    constraints: tuple[Constraint, ...]


def sampling_config(
    model: TrainedModel,
    constraints: Sequence[Constraint] = (),
    *,
    details: bool = False,
    alternatives: int = 0,
    **options: Unpack[SampleOptions],
) -> SamplingConfig:
    """What options mean to a model that texts are drawn from.

    Models of independent lines end a sample with its line, models of whole files with the file.

    Args:
        model: what to draw from.
        constraints: what else a sample has to keep to.
        details: as ``SamplingConfig`` has it.
        alternatives: likewise.
        **options: as they were chosen.

    Raises:
        UsageError: an option is out of range, does not fit the model, or leaves nothing to draw.
    """
    window = options.get("penalty_window")
    penalty = options.get("repetition_penalty", 1.0)
    if window is not None and penalty == 1:
        raise UsageError("--penalty-window says how far back --repetition-penalty reaches: name that too")
    heat = options.get("temperature", 1.0)
    if heat == 0 and (idle := [flag for name, flag in _KEEPING.items() if name in options]):
        raise UsageError(f"--temperature 0 takes the likeliest token always: leave out {', '.join(idle)}")
    filters = Filters(
        penalty,
        PENALTY_WINDOW if window is None else window,
        options.get("top_k"),
        options.get("top_p", 1.0),
        options.get("min_p", 0.0),
        options.get("typical", 1.0),
    )
    return SamplingConfig(
        temperature=heat,
        filters=filters,
        details=details,
        alternatives=alternatives,
        **_bounds(model, constraints, options),
    )


def beam_config(
    model: TrainedModel,
    beams: int,
    number: int = 1,
    constraints: Sequence[Constraint] = (),
    **options: Unpack[BeamOptions],
) -> BeamConfig:
    """What options mean to a model whose likeliest texts are searched for; otherwise as ``sampling_config``.

    Args:
        model: what gives texts their probabilities.
        beams: beginnings that are kept.
        number: texts to find.
        constraints: what else a text has to keep to.
        **options: as they were chosen.

    Raises:
        UsageError: an option is out of range, does not fit the model, or leaves nothing to find.
    """
    return BeamConfig(
        beams=beams,
        number=number,
        groups=options.get("groups", 1),
        diversity=options.get("diversity", 0.0),
        length_penalty=options.get("length_penalty", LENGTH_PENALTY),
        **_bounds(model, constraints, options),
    )


def _bounds(model: TrainedModel, constraints: Sequence[Constraint], options: TextOptions) -> _Bounds:
    tokenizer, found = model.tokenizer, list(constraints)
    lines, stop, until_eos = options.get("lines"), _texts(options.get("stop", ())), options.get("until_eos", False)
    length = options.get("length")
    if length is None:
        length = LONGEST if lines is not None or stop or until_eos else DEFAULT_LENGTH
    ends = model.text.independent_lines or tokenizer.unit == "file" or until_eos
    stop_ids = (tokenizer.eos_id,) if ends else ()
    if stop or lines is not None:
        _check_ends(model, stop, lines)
        spelt = [normalise(each.lower() if tokenizer.lowercase else each) for each in stop]
        found.append(TextStops(tokenizer, [to_utf8(each) for each in spelt], lines))
    never = _never(tokenizer, stop_ids, options)
    return {"length": length, "never": never, "stop": stop_ids, "constraints": tuple(found)}


def _texts(given: Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _check_ends(model: TrainedModel, stop: Sequence[str], lines: int | None) -> None:
    tokenizer = model.tokenizer
    if lines is not None:
        require("--lines", lines, minimum=1)
        if model.text.independent_lines and lines > 1:
            raise UsageError(
                f"--lines is {lines}, but this model's lines are independent, and a sample is one of them: ask for "
                f"so many samples with -n {lines}"
            )
        if tokenizer.line_end_id is None:
            raise UsageError("--lines counts line breaks, and this model has none: use --length")
    for each in stop:
        if not each:
            raise UsageError("--stop is empty: give a text that ends a sample")
        strange = tokenizer.unknown_in(normalise(each)) if tokenizer.level == "char" else []
        if strange:
            raise UsageError(f"--stop {each!r} never comes: the model does not know {_named(strange)}")


def _never(tokenizer: Tokenizer, stop: Sequence[int], options: TextOptions) -> tuple[int, ...]:
    """Ids that are never drawn."""
    ban, only = _texts(options.get("ban", ())), _texts(options.get("only", ()))
    never = set() if options.get("unknown", False) or tokenizer.unknown_id is None else {UNK}
    never |= set(tokens_of(tokenizer, "--ban", ban))
    if only:
        never |= set(range(len(tokenizer))) - set(tokens_of(tokenizer, "--only", only, parted=True)) - set(stop)
    # Without either, a vocabulary of nothing but special tokens still draws the end.
    if (ban or only) and never >= set(range(len(tokenizer))) - set(stop):
        raise UsageError("--ban and --only leave nothing to draw: ban less, or name more with --only")
    return tuple(sorted(never))


def tokens_of(tokenizer: Tokenizer, flag: str, texts: Sequence[str], *, parted: bool = False) -> list[int]:
    """The ids of every character of some texts, or of every word; of a word also as it stands behind no space.

    Args:
        tokenizer: of the model.
        flag: for the message.
        texts: what is meant.
        parted: leave out words behind no space, where the model has them behind one: they would run together.

    Raises:
        UsageError: the model does not know one of them, or a text is empty.
    """
    if not all(texts):
        what = "words" if tokenizer.level in ("word", "token") else "characters"
        raise UsageError(f"{flag} is empty: name {what}, or leave it out")
    if not texts:
        return []
    if tokenizer.level == "byte":
        return [int(token) for text in texts for token in tokenizer.encode(text)]
    known = {**tokenizer.vocabulary.lookup(), SPECIAL_TOKENS[EOS]: EOS, SPECIAL_TOKENS[UNK]: UNK}
    found, strange = [], []
    for token in dict.fromkeys(token for text in texts for token in tokenizer.cut(normalise(text))):
        plain = token.removeprefix(MARK) or token
        ids = [known[each] for each in (plain, MARK + plain) if each in known]
        found += ids[:1] if parted and plain[0].isalnum() else ids
        if not ids:
            strange.append(plain)
    if strange:
        raise UsageError(f"{flag} names what the model does not know: {_named(strange)}")
    return found


def _named(tokens: Sequence[str]) -> str:
    return ", ".join(map(repr, tokens))
