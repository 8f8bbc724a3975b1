"""``charlm compress`` and ``charlm decompress``: files, pipes, and what is refused."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_cases import Running, Trained, call, contents, environment, one_message, process, prose_text, succeed, words

import charlm

DATA = prose_text(6).encode()


def packed(model: Trained, data: bytes = DATA, *options: object) -> Path:
    Path("in.txt").write_bytes(data)
    succeed("compress", "in.txt", "-o", "out.clm", "--model", model.folder, "--overwrite", *options)
    return Path("out.clm")


def test_a_file_goes_in_and_comes_back(prose: Trained) -> None:
    out = packed(prose)
    ended = succeed("decompress", out, "-o", "back.txt", "--model", prose.folder)
    assert Path("back.txt").read_bytes() == DATA
    assert f"{len(DATA):,} bytes, {out.stat().st_size:,} compressed" in ended.out.decode()
    assert charlm.load(prose.folder).compress(DATA) == out.read_bytes()


def test_sizes_as_json(prose: Trained) -> None:
    Path("in.txt").write_bytes("é\n".encode() * 50)
    found = succeed("compress", "in.txt", "-o", "out.clm", "-m", prose.folder, "--json").json
    size = Path("out.clm").stat().st_size
    assert (found["file"], found["bytes"], found["characters"], found["compressed"]) == ("in.txt", 150, 100, size)
    assert found["bits_per_byte"] == pytest.approx(8 * size / 150)
    assert found["bits_per_char"] == pytest.approx(8 * size / 100)
    assert found["seconds"] > 0
    assert succeed("decompress", "out.clm", "-o", "back", "-m", prose.folder, "--json").json["compressed"] == size


def test_pipes(prose: Trained) -> None:
    first = succeed("compress", "-", "-o", "-", "-m", prose.folder, stdin=DATA)
    assert "standard input" in first.err
    second = succeed("decompress", "-", "-o", "-", "-m", prose.folder, stdin=first.out)
    assert second.out == DATA


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\0\r"])
def test_small_files(prose: Trained, data: bytes) -> None:
    out = packed(prose, data)
    assert out.stat().st_size < 80
    assert succeed("decompress", out, "-o", "-", "-m", prose.folder).out == data


def test_compressed_files_are_taken_as_they_are(octets: Trained) -> None:
    """Elsewhere a name that ends in .gz has a file decompressed as it is read."""
    Path("in.gz").write_bytes(b"no gzip")
    succeed("compress", "in.gz", "-o", "out", "-m", octets.folder)
    assert succeed("decompress", "out", "-o", "-", "-m", octets.folder).out == b"no gzip"


def test_learning_while_compressing(prose: Trained) -> None:
    plain = packed(prose, DATA * 20).read_bytes()
    out = packed(prose, DATA * 20, "--dynamic", "sgd", "--dynamic-lr", 0.1)
    assert out.stat().st_size < len(plain)
    # How it was compressed stands in the file.
    assert succeed("decompress", out, "-o", "-", "-m", prose.folder).out == DATA * 20


def test_files_that_are_there_stay(prose: Trained) -> None:
    out = packed(prose)
    Path("there").write_bytes(b"kept")
    Path("folder").mkdir()
    for command, source in (("compress", "in.txt"), ("decompress", out)):
        ended = call(command, source, "-o", "there", "-m", prose.folder)
        one_message(ended, 5, "there is there already", "--overwrite")
        one_message(call(command, source, "-o", "folder", "-m", prose.folder), 5, "folder is a folder")
        ended = call(command, source, "-o", source, "-m", prose.folder, "--overwrite")
        one_message(ended, 2, "is the file that is read")
        one_message(call(command, "nowhere", "-o", "new", "-m", prose.folder), 3, "no such file: nowhere")
        one_message(call(command, source, "-o", "none/new", "-m", prose.folder), 5, "cannot write none/new")
        one_message(call(command, source, "-o", "-", "--json", "-m", prose.folder), 2, "--json")
        ended = call(command, source, "-m", prose.folder)
        one_message(ended, 2, "--out")
    assert Path("there").read_bytes() == b"kept"
    succeed("decompress", out, "-o", "there", "-m", prose.folder, "--overwrite")
    assert Path("there").read_bytes() == DATA


def test_what_is_damaged_writes_nothing(prose: Trained, names: Trained) -> None:
    out = packed(prose)
    data = out.read_bytes()
    before = contents(Path())
    one_message(call("decompress", out, "-o", "back", "-m", names.folder), 4, "out.clm", "another model", "--model")
    one_message(call("decompress", "in.txt", "-o", "back", "-m", prose.folder), 3, "was not written by charlm compress")
    assert contents(Path()) == before
    Path("spoilt").write_bytes(data[:80] + b"?" + data[81:])
    one_message(call("decompress", "spoilt", "-o", "back", "-m", prose.folder), 3, "spoilt is damaged")
    assert not Path("back").exists()


def test_a_damaged_pipe_ends_with_an_error(prose: Trained) -> None:
    data = packed(prose).read_bytes()
    ended = call("decompress", "-", "-o", "-", "-m", prose.folder, stdin=data[:-1] + b"?")
    one_message(ended, 3, "standard input is damaged")
    assert ended.out == b""


def test_without_a_reader_it_ends_quietly(prose: Trained) -> None:
    out = packed(prose, DATA * 9)
    command = words("decompress", out, "-o", "-", "-m", prose.folder)
    with Running(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_leaves_nothing(prose: Trained) -> None:
    Path("in.txt").write_bytes(DATA * 2000)
    command = words("compress", "in.txt", "-o", "out.clm", "-m", prose.folder)
    with Running(command, env=environment(), stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 60
        while not list(Path().glob(".out.clm.*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        assert running.stderr.read().decode() == "charlm: interrupted\n"
    assert running.returncode == 130
    assert list(Path().iterdir()) == [Path("in.txt")]


def test_other_threads_compute_the_same_bits(prose: Trained) -> None:
    out = packed(prose)
    ended = process(
        "decompress", out, "-o", "-", "-m", prose.folder, env=environment(OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")
    )
    assert ended.out == DATA
