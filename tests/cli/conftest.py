"""The models that the command line is tested with, trained once for each process of the tests."""

import signal
from pathlib import Path

import pytest
from cli_cases import QUICK, Trained, names_text, prose_text, succeed
from tag_cases import TAGGER, write_columns

for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    # In the background a shell has the tests ignore Ctrl-C, and nohup the closing of the terminal: so would every
    # command they run.
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_model_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing outside a test decides which model it means."""
    monkeypatch.delenv("CHARLM_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)


def _train(folder: Path, data: bytes, *options: object) -> Trained:
    corpus = folder / "corpus.txt"
    corpus.write_bytes(data)
    succeed("train", corpus, "--model", folder / "model", *QUICK, *options)
    return Trained(folder / "model", corpus)


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of independent lines."""
    return _train(tmp_path_factory.mktemp("names"), names_text().encode(), "--steps", 40)


@pytest.fixture(scope="session")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of a stream, two layers deep."""
    return _train(tmp_path_factory.mktemp("prose"), prose_text().encode(), "--steps", 40, "--layers", 2)


@pytest.fixture(scope="session")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of words, whose lines follow one another; some words are rare, and some stand behind a quotation mark."""
    text = prose_text().replace("river mountain", '"river" once mountain') + '"letter" rarely.\n'
    return _train(tmp_path_factory.mktemp("wordy"), text.encode(), "--steps", 40, "--level", "word")


@pytest.fixture(scope="session")
def octets(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of bytes, trained on a file that is no text."""
    return _train(tmp_path_factory.mktemp("octets"), bytes(range(256)) * 8, "--steps", 20, "--level", "byte")


@pytest.fixture(scope="session")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tagger that has learnt which names are names, by what follows them."""
    folder = tmp_path_factory.mktemp("tagger")
    corpus = write_columns(folder / "names.conll")
    succeed("tag", "train", corpus, "--model", folder / "model", *TAGGER, "--steps", 120, "--lr", 0.02, "--dropout", 0)
    return Trained(folder / "model", corpus)
