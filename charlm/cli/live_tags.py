"""What a tagger in training says of sentences that validate it: shown at every validation."""

from charlm.cli.console import printable
from charlm.labelling.corpus import LabelCorpus
from charlm.labelling.predicting import predict
from charlm.training.labels import LabelSubject
from charlm.training.run import Run


def live_tags(run: Run[LabelSubject]) -> str:
    """A few sentences, indented: behind each word its label, and where that is not the true one, "!=" and the true."""
    corpus, network = run.subject.corpus, run.subject.work.network
    data, names = corpus.valid, corpus.labels.names
    lines = []
    for number, words in corpus.shown.items():
        predicted = predict(network, data.only(number)).labels.tolist()
        true = data.targets[data.starts[number] : data.starts[number + 1]].tolist()
        shown = (_shown(word, names[p], names[t], corpus) for word, p, t in zip(words, predicted, true, strict=True))
        lines.append(f"    {printable(' '.join(shown))}")
    return "\n".join(lines)


def _shown(word: str, predicted: str, true: str, corpus: LabelCorpus) -> str:
    """A word with its label, but for the label of what is no entity."""
    usual = corpus.labels.names[0] if corpus.labels.entities else None
    if predicted != true:
        return f"{word}/{predicted}!={true}"
    return word if predicted == usual else f"{word}/{predicted}"
