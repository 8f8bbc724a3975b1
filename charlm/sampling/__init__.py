"""Text from a language model, as ids: how tokens are drawn, one after another or many side by side.

Each file imports only from the ones above it:

    constraints.py     what may follow in a sample, and whether it may or must end
    text_stops.py      ends of a sample that are found in its text
    config.py          how tokens are drawn, in numbers
    filters.py         what becomes of a distribution before a token is drawn
    drawing.py         a token from a distribution
    drawn.py           what has been drawn, and how likely it was
    stream.py          one sample, token by token
    progress.py        how far many samples have come
    side_by_side.py    many samples, a step of all of them at a time
    many.py            any number of samples, in their order
    beams.py           the likeliest continuations, by beam search
"""
