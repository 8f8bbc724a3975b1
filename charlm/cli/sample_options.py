"""The options of ``charlm sample`` in groups."""

from charlm.cli.choices import Choice

DRAWING = (
    Choice("temperature", float, ("--temperature", "-t"),
           "Below 1 safer, above 1 bolder, 0 the likeliest token always.", "1.0"),
    Choice("top_k", int, ("--top-k",), "Draw from so many of the likeliest tokens."),
    Choice("top_p", float, ("--top-p",),
           "Draw from the fewest of the likeliest tokens that have this probability together, such as 0.9."),
    Choice("min_p", float, ("--min-p",),
           "Draw from tokens with at least this share of the likeliest one's probability, such as 0.1."),
    Choice("typical", float, ("--typical",),
           "Draw from the fewest of the most typical tokens that have this probability together, such as 0.9."),
    Choice("repetition_penalty", float, ("--repetition-penalty",),
           "Multiply the log-probabilities of recent tokens by this, such as 1.2.", "1"),
    Choice("penalty_window", int, ("--penalty-window",), "How many tokens back that reaches, into the prompt too.",
           "64"),
)  # fmt: skip
"""How tokens are drawn."""
HOLDING = (
    Choice("ban", list[str], ("--ban",), "None of these characters, or words; may be given several times."),
    Choice("only", list[str], ("--only",),
           "No other characters, or words, than these and what ends a sample; may be given several times."),
    Choice("unknown", bool, ("--unknown",), "Allow <UNK>, shown as U+FFFD."),
)  # fmt: skip
"""What a sample may hold."""
ENDING = (
    Choice("length", int, ("--length", "-l"), "Most tokens to draw, the prompt not counted.",
           "500; 10,000 with --lines, --stop or --until-eos"),
    Choice("lines", int, ("--lines",), "End after so many lines."),
    Choice("stop", list[str], ("--stop",), "End with this text; of several, with the first that comes."),
    Choice("until_eos", bool, ("--until-eos",), "End with <EOS>, however late."),
)  # fmt: skip
"""What ends a sample."""
SEARCHING = (
    Choice("beams", int, ("--beams",), "Search for the likeliest texts with so many beams; -n is how many to show."),
    Choice("groups", int, ("--beam-groups",), "Deal the beams into so many groups that choose one after another.", "1"),
    Choice("diversity", float, ("--diversity",),
           "Nats that a token loses for each text of earlier groups that has just taken it, such as 0.5.", "0"),
    Choice("length_penalty", float, ("--length-penalty",),
           "Order by log P / ((5 + tokens) / 6)^this; 0 for log P itself.", "0.6"),
)  # fmt: skip
"""How widely to search where nothing is drawn."""
