"""What encoder and decoder must have in common, and how a decoder tells that it has."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from charlm.checkpoint import TrainedModel, label_tensors, vocabulary_tensors
from charlm.compression.container import DIGEST_BYTES, PROBE_BYTES, Header
from charlm.errors import ModelError
from charlm.machine import find_blas
from charlm.prediction.build import NOTHING, Beside, build
from charlm.prediction.config import Adaptation
from charlm.prediction.predictor import Predictor
from charlm.seal import contents_digest
from charlm.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROBED = 64
"""Many times as many products as it takes to see a difference."""


class Basis(NamedTuple):
    """What the coding of a file rests on, besides its bytes.

    Attributes:
        predictor: gives the probabilities; it begins anew with each file.
        tokenizer: text to ids and back.
        independent_lines: whether each line begins from a start.
        digest: of all that the probabilities depend on but for ``about``, `DIGEST_BYTES` long.
        about: what the predictor was made with besides: a JSON object, empty where it is the model alone.
        probed: tokens that are read to see what a machine computes.
    """

    predictor: Predictor
    tokenizer: Tokenizer
    independent_lines: bool
    digest: bytes
    about: Mapping[str, Any]
    probed: int = _PROBED

    def header(self) -> Header:
        """What is to stand in a file that rests on this, on this machine."""
        return Header(self.digest, _probe(self.predictor, self.probed), find_blas().kernel, self.about)

    def check(self, name: str, header: Header) -> None:
        """Check that a file rests on this, and on what this machine computes.

        Args:
            name: of the file, for messages.
            header: of the file; the predictor is made with what it says.

        Raises:
            ModelError: it does not.
        """
        if header.digest != self.digest:
            raise ModelError(
                f"{name} was compressed with another model (its digest begins {header.digest.hex()}, that of this one "
                f"{self.digest.hex()}): name the right one with --model"
            )
        here = self.header()
        if header.probe != here.probe:
            raise ModelError(f"{name} was compressed where the same model {_other_machine(header.kernel, here.kernel)}")


NOT_ADAPTED = Adaptation()


def basis_of(model: TrainedModel, how: Adaptation = NOT_ADAPTED, beside: Beside = NOTHING) -> Basis:
    """What the coding of a file by a model rests on.

    Args:
        model: under its label where it has labels.
        how: what is to be done to its probabilities; a file says so in its header.
        beside: the models that are named there.

    Raises:
        UsageError: the model has labels, and is under none; or what stands beside it does not fit it.
    """
    if model.network.label is None:
        model.under(None)  # refused where there are labels
    return Basis(
        predictor=build(model, how, beside),
        tokenizer=model.tokenizer,
        independent_lines=model.text.independent_lines,
        digest=bytes.fromhex(_joint_digest(model, beside))[:DIGEST_BYTES],
        about={} if how.idle else how.to_json(),
        # So that a model that learns has learnt, too.
        probed=_PROBED + (how.dynamic.segment if how.dynamic else 0),
    )


def model_digest(model: TrainedModel) -> str:
    """SHA-256 in hex of what a model's probabilities depend on: its weights, its vocabulary, how it reads a text.

    How it was trained, and where its file lies, make no difference.
    """
    text = model.text
    tensors = {
        **model.network.parameters.views,
        **vocabulary_tensors(model.tokenizer.vocabulary),
        **label_tensors(model.labels),
    }
    return contents_digest(
        tensors,
        {
            "model": model.network.config.to_json(),
            "label": model.network.label,
            "text": [text.level, text.unit, text.lowercase, text.independent_lines],
        },
    )


def _joint_digest(model: TrainedModel, beside: Beside) -> str:
    """Of a model, and of what stands beside it."""
    digest = hashlib.sha256("".join(map(model_digest, (model, *beside.models))).encode())
    arrays: list[NDArray[Any]] = [] if beside.mean_squares is None else [beside.mean_squares]
    if beside.ngrams is not None:
        smoothed = beside.ngrams.smoothed
        arrays += [*beside.ngrams.trie.keys, *smoothed.log_probabilities, *smoothed.log_backoffs]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def adaptation_of(name: str, about: Mapping[str, Any]) -> Adaptation:
    """What is to be done to a model, by the header of a file.

    Raises:
        ModelError: it is something that this charlm does not know, or takes a model that is not at hand.
    """
    if not about:
        return NOT_ADAPTED
    try:
        return Adaptation.from_json(about)
    except ModelError as error:
        raise ModelError(f"{name} was compressed in a way that this charlm does not know ({error})") from error


@contextmanager
def one_thread() -> Iterator[None]:
    """While this lasts, BLAS runs one thread, so that how many there are elsewhere changes no bit.

    Products with one column gain little by more.
    """
    import threadpoolctl  # noqa: PLC0415 - it inspects every loaded library, which takes a while

    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


def _probe(predictor: Predictor, steps: int) -> bytes:
    """Of a digest of every bit of the probabilities of some tokens, in a fixed order that looks like none."""
    digest = hashlib.sha256()
    predictor.start()
    for step in range(steps):
        digest.update(np.ascontiguousarray(predictor.log_probabilities()).data)
        predictor.read((step * step * 7 + step * 3) % predictor.vocabulary)
    return digest.digest()[:PROBE_BYTES]


def _other_machine(kernel: str, here: str) -> str:
    """Where two machines differ, and what to do."""
    if kernel == here:
        return (
            f"gave other bits: the BLAS kernel is {here} there and here, so NumPy or OpenBLAS is of another version. "
            "Decompress it with the versions that it was compressed with"
        )
    return (
        f"gave other bits: the BLAS kernel was {kernel} there, and is {here} here. Set OPENBLAS_CORETYPE={kernel} in "
        "the environment if this processor can run it, or decompress it on a machine like that one"
    )
