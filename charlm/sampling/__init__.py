"""Text from a language model, as ids: how tokens are drawn, one after another or many side by side.

Each file imports only from the ones above it:

    config.py          how tokens are drawn, in numbers
    drawing.py         a token from a distribution
    stream.py          one sample, token by token
    side_by_side.py    many samples, a step of all of them at a time
"""
