"""Recurrent networks as arrays in, arrays out; nothing here knows what a text is.

Axes. One step works on column vectors, as the equations do: ``W @ [a; x]`` with the features down
and the examples of the batch across, ``[features, batch]``.

Time. *Entry t of a layer's input buffer* ``[time + 1, rows, batch]`` *is all that step t reads:*
h_{t-1}, x_t *and a 1 for the bias; entry* ``time`` *holds only the last h.* Every step is one contiguous piece;
``columns.py`` says how the products of a whole window come by theirs.

Letters in shapes: T time steps (the window), B examples (the batch, or lanes), H hidden units, R input rows
of a layer, E embedding size, V vocabulary size, G gates of a block.

Parameters and operands are two things. *Parameters* (``parameters.py``) are named, unscaled tensors, one a
gate; the optimiser, initialisation and checkpoints see only these. *Operands* are what the products use:
derived from the parameters once a window, laid out and scaled for speed.
"""
