"""The benchmark: charlm held against PyTorch, or against itself. `make bench`, or `python tests/bench --help`.

cases        what is measured, and the floor of each case
measuring    two worker processes take turns; the parent sleeps
worker       what runs in such a process
task         what an engine hands to it: a step, and how much work that is
charlm_engine, torch_engine, commands_engine
             the steps of each side; each is imported in its own process only
texts        the file of lines that is scored
results      medians, ratios and JSON from what was measured
machine      what it was measured on
report       Markdown, and its place in docs/performance.md
command      options, progress, and where everything goes
blocks       what a training step of each block costs: `python tests/bench blocks`
profile      where the time of a step goes: `python tests/bench profile`
stream       what a character of one stream costs at least: `python tests/bench stream`
ngrams       how fast n-gram models score lines: `python tests/bench ngrams`
ngrams_engine, kenlm_engine
             the sides of that
ngram_files, held_out
             what they read, and what they say of it
bag_of_words how well counting words classifies texts: `python tests/bench bag-of-words`
tricks       what each trick of the engine brings: `python tests/bench tricks`
trick        what a trick is: its two sides, and the window that they work on
loop_tricks, backward_tricks, window_tricks
             the tricks of the loop over time, of its way back, and those of a whole window
"""
