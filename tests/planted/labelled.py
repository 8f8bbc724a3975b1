"""Errors in what reads texts with labels, joins labels to inputs, and finds them by Bayes' rule."""

from planted.mutant import Mutant

JOINED = ("nn/test_label_embeddings.py",)
READ = ("text/test_text_labelled.py",)
COMMANDS = ("cli/test_cli_labels.py",)

MUTANTS = [
    # ---- embedding.py, stack.py, language_model.py: a label's embedding joins every input
    Mutant(
        "line labels: one-hot rows have the last id alone",
        "nn/embedding.py",
        "each, np.arange(batch)] += each >= 0",
        "each, np.arange(batch)] = each >= 0",
        JOINED,
    ),
    Mutant(
        "line labels: gathered rows have the first id alone",
        "nn/embedding.py",
        "vectors.sum(axis=0)",
        "vectors[0]",
        JOINED,
    ),
    Mutant(
        "line labels: a gathered label takes the gradient of the first steps",
        "nn/embedding.py",
        "d_rows.T[order % d_rows.shape[1]]",
        "d_rows.T[np.where(order < d_rows.shape[1], order, 0)]",
        JOINED,
    ),
    Mutant(
        "line labels: their gradients are left over from the window before, where the embedding is tied",
        "nn/stack.py",
        "        d_table[self.config.vocabulary :] = 0  # labels are no rows of the head\n",
        "",
        JOINED,
    ),
    Mutant(
        "tied: embeddings, those of labels too, begin as large as untied ones",
        "nn/stack.py",
        "size = self.config.embedding if self.config.tied else 1",
        "size = 1",
        JOINED,
    ),
    Mutant(
        "line labels: they have the embeddings of tokens",
        "nn/language_model.py",
        "np.where(labels < 0, -1, self.config.vocabulary + labels)",
        "np.where(labels < 0, -1, labels)",
        JOINED,
    ),
    Mutant(
        "line labels: one stream does not read them",
        "nn/token_operand.py",
        "                np.add(column, of_tokens[token], out=column)\n",
        "                pass\n",
        JOINED,
    ),
    Mutant(
        "line labels: those of the model to start from are lost",
        "nn/language_model.py",
        "of_labels[...] = of_their_labels if other.config.labels else 0",
        "of_labels[...] = 0",
        JOINED,
    ),
    Mutant(
        "line labels: new ones begin as they were drawn",
        "nn/language_model.py",
        "of_labels[...] = of_their_labels if other.config.labels else 0",
        "of_labels[...] = of_their_labels if other.config.labels else of_labels",
        JOINED,
    ),
    Mutant(
        "line labels: equations are worked without them",
        "explain.py",
        "x = of_label + (",
        "x = (",
        COMMANDS,
    ),
    # ---- lanes.py, text/: every line keeps its label
    Mutant(
        "line labels: a line's first token has the label of the line before",
        "lanes.py",
        'np.searchsorted(self.bounds, wanted, side="right") - 1',
        'np.maximum(np.searchsorted(self.bounds, wanted, side="left") - 1, 0)',
        COMMANDS,
    ),
    Mutant(
        "line labels: gradients are measured on the lines of all of them",
        "lanes.py",
        "np.repeat(self.labels == label,",
        "np.repeat(self.labels >= 0,",
        COMMANDS,
    ),
    Mutant(
        "line labels: those of training lines are not those that stay",
        "text/splitting.py",
        "    divided = kept[~validates], kept[validates]\n",
        "    divided = kept[: np.count_nonzero(~validates)], kept[np.count_nonzero(~validates) :]\n",
        READ,
    ),
    Mutant(
        "line labels: blank lines keep theirs",
        "text/lines.py",
        "[_not_blank(block, starts, facts)])\n            passed",
        ")\n            passed",
        READ,
    ),
    Mutant(
        "line labels: their ids are the places where they go, not where they come from",
        "text/splitting.py",
        "ids = np.argsort(order).astype(",
        "ids = np.asarray(order).astype(",
        READ,
    ),
    Mutant(
        "line labels: a rare one may validate alone",
        "text/labelled.py",
        "        validates[np.flatnonzero(labels == label)[0]] = False\n",
        "        pass\n",
        READ,
    ),
    Mutant(
        "line labels: a line that goes on in the next block is two",
        "text/labelled.py",
        '                inside, held = True, ""\n',
        '                held = ""\n',
        READ,
    ),
    Mutant(
        "line labels: a line that is not closed leaves its text open",
        "text/labelled.py",
        '        elif inside:\n            yield "\\n"\n',
        "",
        READ,
    ),
    Mutant(
        "line labels: what validates may have others than what trains",
        "text/corpus.py",
        "LabelReader(reader.names) if reader else None",
        "LabelReader() if reader else None",
        READ,
    ),
    # ---- bayes.py, scoring
    Mutant(
        "bayes: the prior does not count",
        "bayes.py",
        "log_softmax(logprobs + log_prior[:, None])",
        "log_softmax(logprobs)",
        COMMANDS,
    ),
    Mutant(
        "bayes: the prior is always that of the texts trained on",
        "bayes.py",
        "labels.counts if prior == PRIORS[0] else",
        "labels.counts if prior else",
        COMMANDS,
    ),
    Mutant(
        "bayes: the least probable label is taken",
        "bayes.py",
        ".argmax(axis=0)",
        ".argmin(axis=0)",
        COMMANDS,
    ),
    Mutant(
        "line labels: the cache keeps ids without them",
        "cache/corpora.py",
        'if path is None or options.get("labels") or not',
        "if path is None or not",
        COMMANDS,
    ),
    Mutant(
        "line labels: a run goes on with those that its text has now",
        "training/setup.py",
        "            known_labels=how.labels.names if how.labels else None,\n",
        "",
        COMMANDS,
    ),
]
