"""What is not as it was compressed is refused, and never comes out as something else."""

import numpy as np
import pytest
import threadpoolctl
from compression_cases import TEXT, model

import charlm
from charlm.compression import basis as basis_module
from charlm.compression.basis import Basis, basis_of, model_digest, one_thread
from charlm.compression.compressing import compress, decompress
from charlm.compression.container import TRAILER_BYTES, Contents
from charlm.errors import CharlmError, InputError, ModelError
from charlm.machine import Blas
from charlm.nn.heads.cross_entropy import Real
from charlm.prediction.network import NetworkPredictor

DATA = TEXT[:120].encode()


@pytest.fixture(scope="module")
def packed() -> bytes:
    return model("char").compress(DATA)


def piped(data: bytes, basis: Basis | None = None) -> bytes:
    """As standard input is decompressed, where nothing is checked beforehand."""
    back: list[bytes] = []
    decompress("the pipe", [data], back.append, lambda _: basis or basis_of(model("char").trained))
    return b"".join(back)


def test_a_damaged_byte_anywhere_is_noticed(packed: bytes) -> None:
    for place in range(len(packed)):
        for change in (1, 0xFF):
            spoilt = packed[:place] + bytes([packed[place] ^ change]) + packed[place + 1 :]
            with pytest.raises(InputError):
                model("char").decompress(spoilt)


def test_a_damaged_byte_anywhere_in_a_pipe_is_noticed(packed: bytes) -> None:
    for place in range(len(packed)):
        with pytest.raises(CharlmError):
            piped(changed(packed, place))


def test_each_checksum_of_a_pipe_is_looked_at(packed: bytes) -> None:
    """Also where the file is too long for a look at all of it beforehand."""
    header = len(basis_of(model("char").trained).header().to_bytes())
    for place in range(header):
        with pytest.raises(InputError):
            long_pipe(changed(packed, place)).header()
    for place in range(header, len(packed)):
        contents = long_pipe(changed(packed, place))
        contents.header()
        with pytest.raises(InputError, match="its checksum is of"):
            contents.trailer()
    contents = long_pipe(packed)
    contents.header()
    assert contents.trailer().length == len(DATA)


def changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


def long_pipe(data: bytes) -> Contents:
    """What comes through a pipe bit by bit, and of which nothing was checked beforehand."""
    return Contents("the pipe", (data[n : n + 1] for n in range(len(data))))


def test_a_file_that_ends_early_or_late_is_refused(packed: bytes) -> None:
    for size in range(len(packed)):
        with pytest.raises(InputError):
            model("char").decompress(packed[:size])
        with pytest.raises(InputError):
            piped(packed[:size])
    for more in (b"\0", b"x", b"\0" * 50, packed):
        with pytest.raises(InputError, match="damaged"):
            model("char").decompress(packed + more)
        with pytest.raises(InputError, match="damaged"):
            piped(packed + more)


@pytest.mark.parametrize("data", [b"", b"x", b"\x8bcl", b"\x1f\x8b\x08\0\0\0\0\0", TEXT.encode()])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="was not written by charlm compress"):
        model("char").decompress(data)
    with pytest.raises(InputError, match="was not written by charlm compress"):
        piped(data)


def test_another_version_is_refused(packed: bytes) -> None:
    with pytest.raises(InputError, match="version 9"):
        piped(packed[:4] + b"\x09" + packed[5:])


@pytest.mark.parametrize("other", ["file", "few", "byte"])
def test_another_model_is_refused(packed: bytes, other: str) -> None:
    with pytest.raises(ModelError, match=r"another model.*--model"):
        model(other).decompress(packed)


def test_a_model_is_known_by_all_that_its_probabilities_depend_on() -> None:
    trained = model("char").trained
    digest = model_digest(trained)
    values = trained.network.parameters.values
    before = values[3]
    try:
        values[3] = np.nextafter(before, np.float32(9))
        assert model_digest(trained) != digest
    finally:
        values[3] = before
    assert model_digest(trained) == digest


class Drifting(NetworkPredictor):
    """Probabilities whose last bits are others than they were, from some step on."""

    first = 0

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # passed on
        self._number = 0

    def log_probabilities(self) -> Real:  # noqa: D102 - as the class says
        self._number += 1
        found = super().log_probabilities().copy()
        if self._number > self.first:
            found[1::2] *= 1 + 1e-6 * (self.first > 0) + 1e-15
            found[::2] *= 1 - 1e-6 * (self.first > 0)
        return found


def drifting(first: int) -> Basis:
    predictor = Drifting(model("char").trained.network)
    predictor.first = first
    return basis_of(model("char").trained)._replace(predictor=predictor)


@pytest.fixture
def _other_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basis_module, "find_blas", lambda: Blas("openblas", "0", "Prescott"))


@pytest.mark.usefixtures("_other_kernel")
def test_a_machine_that_computes_other_bits_is_refused_before_anything_is_written(packed: bytes) -> None:
    with pytest.raises(ModelError, match=r"OPENBLAS_CORETYPE=.*Prescott|Prescott.*OPENBLAS_CORETYPE="):
        piped(packed, drifting(0))


def test_other_versions_of_the_same_kernel_are_named(packed: bytes) -> None:
    with pytest.raises(ModelError, match=r"of another version"):
        piped(packed, drifting(0))


def test_bits_that_differ_later_are_noticed_and_not_called_damage() -> None:
    parts: list[bytes] = []
    compress([TEXT.encode() * 20], parts.append, basis_of(model("char").trained))
    with pytest.raises(ModelError, match=r"is whole.*computes other bits"):
        piped(b"".join(parts), drifting(70))


def test_unknown_adaptations_are_refused() -> None:
    parts: list[bytes] = []
    compress([DATA], parts.append, basis_of(model("char").trained)._replace(about={"spell": 1}))
    with pytest.raises(ModelError, match="in a way that this charlm does not know"):
        model("char").decompress(b"".join(parts))


def test_the_trailer_is_where_it_is_said_to_be(packed: bytes) -> None:
    assert int.from_bytes(packed[-TRAILER_BYTES:][:6], "little") == len(DATA)


def test_one_thread_computes() -> None:
    with one_thread():
        assert {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"} <= {1}


def test_a_model_whose_figures_are_not_finite_is_refused() -> None:
    named = charlm.train(text=TEXT, level="char", hidden=4, embedding=4, window=8, batch=2, steps=1, seed=1)
    named.trained.network.parameters.values[...] = 3e38
    with np.errstate(all="ignore"), pytest.raises(ModelError, match="not finite"):
        named.compress(DATA)
