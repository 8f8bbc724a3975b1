"""Files from strangers: what can become of a file's bytes, and what must come of reading them.

file_bytes   whatever strikes any file: flipped bits, cut ends, bytes of other kinds of file
header       the header of a safetensors file: lengths, names, types, shapes and places of its tensors
contents     what charlm writes into one: metadata, weights, vocabulary, the numbers of a run
kinds        all of them in one table
reading      what a file is to be read with, and what came of it
"""
