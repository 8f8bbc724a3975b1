"""The scripts that go with an exported state dict: its module in PyTorch, and a text's log-probability by it."""

from string import Template

from charlm.checkpoint import TrainedModel
from charlm.config import ModelConfig
from charlm.exchange.gates import conversion_of
from charlm.exchange.state_dict import learned_parts
from charlm.nn.heads.adaptive import SHRINKS, cutoffs
from charlm.version import __version__

_LOADER = Template('''\
"""A language model made by charlm $version, as a module of PyTorch; score_text.py uses it."""
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding($vocabulary, $embedding)
        self.recurrent = nn.$module($embedding, $hidden, $layers$arguments)
        self.head = nn.$head
$parameters
    def forward(self, ids, state=None):  # ids [T, B], -1 before a text; gives log-probabilities [T, B, V]
$begin        inputs = self.embedding(ids.clamp(min=0)) * (ids >= 0).unsqueeze(-1)
        outputs, state = self.recurrent(inputs, state)
        return $log_probabilities, state


def load():
    model = LanguageModel()
    model.load_state_dict(load_file(Path(__file__).with_name("state.safetensors")))
    return model.eval()


if __name__ == "__main__":
    print(load())
''')
_PARAMETERS = Template("""\
        learned = {part: nn.Parameter(torch.zeros($layers, 1, $hidden)) for part in $parts}
        self.initial = nn.ParameterDict(learned)
""")
_BEGIN = Template("""\
        if state is None:
            parts = [self.initial[part].repeat(1, ids.shape[1], 1) for part in $parts]
            state = $state
""")
_STATES = {1: "parts[0]", 2: "tuple(parts)"}
"""What the recurrent module takes as its state, by the number of its parts."""
_SCORER = Template('''\
"""Scores texts with the model of load_model.py, as charlm score does.

    $usage
"""

${imports}import sys
$path
import torch
from load_model import load


def score(model, ids):
    """Log-probability in nats of a whole text, given as its ids."""
    ids = torch.tensor(ids)
    with torch.no_grad():
        found, _ = model(torch.cat([torch.tensor([-1]), ids[:-1]]).unsqueeze(1))
    return found[:, 0].double().gather(1, ids.unsqueeze(1)).sum().item()

$encode
if __name__ == "__main__":
$main
''')
_CHARACTERS = Template('''
def encode(text):
    """The ids of a text, <EOS> included: what vocabulary.json lacks is 1, <UNK>."""
    tokens = json.loads(Path(__file__).with_name("vocabulary.json").read_text(encoding="ascii"))
    known = {token: number for number, token in enumerate(tokens)}
    text = text.removeprefix("\\ufeff").replace("\\r\\n", "\\n")$lower
    $units
    return [number for unit in units for number in [*(known.get(token, 1) for token in unit), 0]]

''')
_UNITS = {
    "line": r'units = text.removesuffix("\n").split("\n")',
    "paragraph": r"""*units, last = text.split("\n\n")
    units += [last.removesuffix("\n")] if last or not units else []""",
    "file": "units = [text]",
}
"""How a text is cut into what <EOS> ends; see ``charlm.text.characters``."""
_SCORE_TEXTS = """\
    model = load()
    for text in sys.argv[1:]:
        print(f"{score(model, encode(text)):12.4f}  {text!r}")"""
_SCORE_IDS = """\
    print(f"{score(load(), [int(number) for number in sys.argv[1:]]):12.4f}")"""


def loader(model: TrainedModel) -> str:
    """The script with the module of a model, which loads its weights.

    Raises:
        ModelError: no module of PyTorch computes the model.
    """
    config = model.network.config
    conversion, learned = conversion_of(config), learned_parts(config)
    head, log_probabilities = _head(config)
    return _LOADER.substitute(
        version=__version__,
        vocabulary=config.vocabulary,
        embedding=config.embedding,
        hidden=config.hidden,
        layers=config.layers,
        module=conversion.module,
        arguments=conversion.arguments,
        parameters=_PARAMETERS.substitute(parts=learned, layers=config.layers, hidden=config.hidden) if learned else "",
        head=head,
        log_probabilities=log_probabilities,
        begin=_BEGIN.substitute(parts=learned, state=_STATES[len(learned)]) if learned else "",
    )


def _head(config: ModelConfig) -> tuple[str, str]:
    """What makes the head, and what it makes of the outputs."""
    sizes = f"{config.hidden}, {config.vocabulary}"
    if config.softmax == "full":
        return f"Linear({sizes})", "self.head(outputs).log_softmax(-1)"
    clusters = f"{cutoffs(config.vocabulary)}, div_value={SHRINKS}, head_bias=True"
    computed = "self.head.log_prob(outputs.flatten(0, 1)).unflatten(0, ids.shape)"
    return f"AdaptiveLogSoftmaxWithLoss({sizes}, {clusters})", computed


def scorer(model: TrainedModel) -> str:
    """The script that scores texts of characters, or the ids of any, with the module of ``loader``."""
    text, characters = model.text, model.text.level == "char"
    lower = ".lower()" if text.lowercase else ""
    return _SCORER.substitute(
        usage='python score_text.py "some text"' if characters else "python score_text.py ID ...   (0 ends a text)",
        imports="import json\n" if characters else "",
        path="from pathlib import Path\n" if characters else "",
        encode=_CHARACTERS.substitute(lower=lower, units=_UNITS[text.unit]) if characters else "",
        main=_SCORE_TEXTS if characters else _SCORE_IDS,
    )
