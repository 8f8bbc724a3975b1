"""Plant errors in the engine, one at a time, and see that the tests catch each: `python tests/mutants.py`.

The package and its tests are copied to a temporary folder, and only the copy is changed. An error is one exact
textual substitution; a text that is not found exactly once stops everything, so that a mutant cannot go stale
unnoticed. Names as arguments run only the mutants whose description contains one of them.

The exit status is 1 if a mutant survives, and 2 if the experiment itself is wrong: a text not found, the
unchanged copy not green, or another package imported than the copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120
"""A mutant may loop for ever; that is noticed too."""

ENGINE = ("test_engine_reference.py",)
WINDOWS = ("test_engine_windows.py",)
CONTINUATIONS = ("../test_continuations.py",)


class Mutant(NamedTuple):
    """One planted error."""

    what: str
    file: str  # below charlm/
    old: str
    new: str
    tests: tuple[str, ...]  # from tests/nn/


MUTANTS = [
    # ---- lstm.py
    Mutant(
        "lstm: forget and update gate swapped going forward",
        "nn/lstm.py",
        "            f, u, o, candidate = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]\n",
        "            u, f, o, candidate = z[:H], z[H : 2 * H], z[2 * H : 3 * H], z[3 * H :]\n",
        ENGINE,
    ),
    Mutant(
        "lstm: cell not reset at a start",
        "nn/lstm.py",
        "                c_prev[:, begins[t]] = 0\n",
        "                pass\n",
        ENGINE,
    ),
    Mutant(
        "lstm: gradient of the hidden state flows through a start",
        "nn/lstm.py",
        "                dh[:, begins[t]] = 0\n",
        "                pass\n",
        ENGINE,
    ),
    Mutant(
        "lstm: gradient of the cell flows through a start",
        "nn/lstm.py",
        "                dc[:, begins[t]] = 0\n",
        "                pass\n",
        ENGINE,
    ),
    Mutant(
        "lstm: returned cell is a view of the tape",
        "nn/lstm.py",
        "return hidden[:, T].copy(), cells[T].copy()",
        "return hidden[:, T].copy(), cells[T]",
        WINDOWS,
    ),
    Mutant(
        "lstm: returned hidden state is a view of the tape",
        "nn/lstm.py",
        "return hidden[:, T].copy(), cells[T].copy()",
        "return hidden[:, T], cells[T].copy()",
        WINDOWS,
    ),
    Mutant(
        "lstm: sigmoid slope missing at the update gate",
        "nn/lstm.py",
        "            np.subtract(product, slope, out=dz[H : 2 * H])\n",
        "            dz[H : 2 * H] = product\n",
        ENGINE,
    ),
    Mutant(
        "lstm: sigmoid slope missing at the output gate only",
        "nn/lstm.py",
        "np.subtract(product, slope, out=dz[2 * H : 3 * H])",
        "np.subtract(product, 0, out=dz[2 * H : 3 * H])",
        ENGINE,
    ),
    Mutant(
        "lstm: a backward of zeros",
        "nn/lstm.py",
        "            np.matmul(operand.recurrent_back, dz, out=dh)\n",
        "            dz[:] = 0\n            np.matmul(operand.recurrent_back, dz, out=dh)\n",
        ENGINE,
    ),
    Mutant(
        "lstm: the cell's gradient is not carried on by the forget gate",
        "nn/lstm.py",
        "            dc *= f\n",
        "            dc *= 0\n",
        ENGINE,
    ),
    Mutant(
        "lstm: the cell's gradient is not summed with the final state's",
        "nn/lstm.py",
        "            dc += dh\n",
        "            dc[...] = dh\n",
        ENGINE,
    ),
    Mutant(
        "lstm: the upstream gradient by the final state is ignored",
        "nn/lstm.py",
        "dh, dc = (np.array(d) for d in d_state)",
        "dh, dc = (np.zeros_like(d) for d in d_state)",
        ENGINE,
    ),
    Mutant(
        "lstm: forget gate's gradient sees the new cell",
        "nn/lstm.py",
        "np.multiply(dc, tape.cells[t], out=product)",
        "np.multiply(dc, tape.cells[t + 1], out=product)",
        ENGINE,
    ),
    # ---- gru.py
    Mutant(
        "gru: update gate keeps what it should replace",
        "nn/gru.py",
        "            np.subtract(candidate, h_prev, out=h)\n",
        "            np.subtract(h_prev, candidate, out=h)\n",
        ENGINE,
    ),
    Mutant(
        "gru: sign flipped in the update gate's gradient",
        "nn/gru.py",
        "np.subtract(candidate, tape.hidden[:, t], out=product)",
        "np.subtract(tape.hidden[:, t], candidate, out=product)",
        ENGINE,
    ),
    Mutant(
        "gru: the way past the gates is dropped",
        "nn/gru.py",
        "            dh -= weighted\n",
        "            dh *= 0\n",
        ENGINE,
    ),
    Mutant(
        "gru: no reset gate before the product",
        "nn/gru.py",
        "        np.multiply(tape.gates[t, :H], tape.hidden[:, t], out=tape.inputs[-H:, t])\n",
        "        tape.inputs[-H:, t] = tape.hidden[:, t]\n",
        ("test_blocks.py",),
    ),
    Mutant(
        "gru: reset before uses the update gate",
        "nn/gru.py",
        "np.multiply(tape.gates[t, :H], tape.hidden[:, t], out=tape.inputs[-H:, t])",
        "np.multiply(tape.gates[t, H:], tape.hidden[:, t], out=tape.inputs[-H:, t])",
        ENGINE,
    ),
    Mutant(
        "gru: gradient by the state is not reset (reset before)",
        "nn/gru.py",
        "        through *= r\n",
        "",
        ENGINE,
    ),
    Mutant(
        "gru: gradient by the recurrent candidate is not reset (reset after)",
        "nn/gru.py",
        "        np.multiply(dcandidate, r, out=dz[:H])  # dp\n",
        "        dz[:H] = dcandidate\n",
        ENGINE,
    ),
    Mutant(
        "gru: recurrent candidate bias has no gradient",
        "nn/gru.py",
        '        gradients["b_ca"][...] = d_operand.products[1][:, 0]\n',
        '        gradients["b_ca"][...] = 0\n',
        ("test_engine_golden.py",),
    ),
    Mutant(
        "gru: state not reset at a start",
        "nn/gru.py",
        "                h_prev[:, begins[t]] = 0\n",
        "                pass\n",
        ENGINE,
    ),
    Mutant(
        "gru: gradient flows through a start",
        "nn/gru.py",
        "                dh[:, begins[t]] = 0\n",
        "                pass\n",
        ENGINE,
    ),
    Mutant(
        "gru: returned state is a view of the tape",
        "nn/gru.py",
        "        return (hidden[:, T].copy(),)\n",
        "        return (hidden[:, T],)\n",
        WINDOWS,
    ),
    Mutant(
        "gru: the upstream gradient by the state is modified",
        "nn/gru.py",
        "(dh,) = (np.array(d) for d in d_state)",
        "(dh,) = d_state",
        WINDOWS,
    ),
    # ---- rnn.py
    Mutant(
        "rnn: ReLU passes the gradient of what it cut off",
        "nn/rnn.py",
        "np.multiply(d_pre, h > 0, out=dz)",
        "np.multiply(d_pre, h == h, out=dz)",
        ENGINE,
    ),
    Mutant(
        "rnn: slope of tanh missing",
        "nn/rnn.py",
        "                np.subtract(d_pre, product, out=dz)\n",
        "                dz[:] = d_pre\n",
        ENGINE,
    ),
    Mutant(
        "rnn: nothing flows back in time",
        "nn/rnn.py",
        "            np.matmul(operand.recurrent_back, dz, out=dh)\n",
        "            dh[...] = 0\n",
        ENGINE,
    ),
    Mutant(
        "rnn: the slope is that of the state after the next start",
        "nn/rnn.py",
        "            h = tape.outputs[t]\n            dz = ",
        "            h = tape.hidden[:, t + 1]\n            dz = ",
        ENGINE,
    ),
    # ---- block.py, activations.py
    Mutant(
        "block: recurrent matrices not transposed on the way back",
        "nn/block.py",
        'write_transposed(operand.recurrent_back[:, first : first + H], views[f"W_{g}a"])',
        'write_transposed(operand.recurrent_back[:, first : first + H], views[f"W_{g}a"].T)',
        ENGINE,
    ),
    Mutant(
        "block: the table's gradient replaces what was there",
        "nn/block.py",
        "                d_table += place.input.T",
        "                d_table[...] = place.input.T",
        ("test_blocks.py",),
    ),
    Mutant(
        "activations: the sigmoid is not moved up by a half",
        "nn/activations.py",
        "    s += 0.5\n",
        "    s += 0.4\n",
        ENGINE,
    ),
    # ---- stack.py, embedding.py, dropout.py
    Mutant(
        "stack: no gradient into a gathered embedding",
        "nn/stack.py",
        "        if not self.folded:\n            add",
        "        if False:\n            add",
        ENGINE,
    ),
    Mutant(
        "stack: dropout mask not applied going back",
        "nn/stack.py",
        "            if tape.dropped:\n                d_output *=",
        "            if False:\n                d_output *=",
        ("test_dropout.py",),
    ),
    Mutant(
        "stack: dropout of an earlier window is applied going back",
        "nn/stack.py",
        "        tape.dropped = dropout is not None and dropout.rate > 0\n",
        "        tape.dropped = tape.dropped or (dropout is not None and dropout.rate > 0)\n",
        ("test_dropout.py",),
    ),
    Mutant(
        "stack: the embedding's gradient is left over from the window before",
        "nn/stack.py",
        "        d_table[...] = 0\n",
        "",
        WINDOWS,
    ),
    Mutant(
        "stack: weight gradients of the whole tape, not of the window",
        "nn/stack.py",
        "block.weight_gradient(layer, T, d_operands[k])",
        "block.weight_gradient(layer, layer.d_gates.shape[1], d_operands[k])",
        WINDOWS,
    ),
    Mutant(
        "stack: every layer's gradient is masked like the lowest's",
        "nn/stack.py",
        "d_output *= tape.masks[k]",
        "d_output *= tape.masks[0]",
        ("test_dropout.py",),
    ),
    Mutant(
        "embedding: -1 is gathered as the last token",
        "nn/embedding.py",
        "    vectors[ids.reshape(-1) < 0] = 0\n",
        "",
        ("test_embedding.py",),
    ),
    Mutant(
        "embedding: one-hot rows of the window before stay",
        "nn/embedding.py",
        "    rows[...] = 0\n",
        "",
        WINDOWS,
    ),
    Mutant(
        "embedding: a repeated token gets only its last gradient",
        "nn/embedding.py",
        "    d_table[ordered[begins]] += np.add.reduceat(gradients, begins, axis=0)\n",
        "    d_table[ordered] += gradients\n",
        ("test_embedding.py",),
    ),
    Mutant(
        "dropout: kept values are not scaled up",
        "nn/dropout.py",
        "out.dtype.type(_LEVELS / (_LEVELS - dropped))",
        "out.dtype.type(1)",
        ("test_dropout.py",),
    ),
    # ---- heads/softmax.py, language_model.py
    Mutant(
        "softmax: gradient of only the last block of columns",
        "nn/heads/softmax.py",
        "            dW += d_logits",
        "            dW[...] = d_logits",
        ("test_softmax_head.py",),
    ),
    Mutant(
        "softmax: uncounted targets have a gradient",
        "nn/heads/softmax.py",
        "                d_logits[:, wanted[part] < 0] = 0\n",
        "                pass\n",
        ("test_softmax_head.py",),
    ),
    Mutant(
        "softmax: the largest logit is not subtracted",
        "nn/heads/softmax.py",
        "    logits -= logits.max(axis=0)\n",
        "",
        ("test_softmax_head.py",),
    ),
    Mutant(
        "language model: mean over all steps, not over the counted ones",
        "nn/language_model.py",
        "return total / max(count, 1), after, d_states",
        "return total / targets.size, after, d_states",
        ENGINE,
    ),
    # ---- training
    Mutant(
        "clipping: scaled by limit / norm squared",
        "training/clipping.py",
        "limit / norm)",
        "limit / norm**2)",
        ("test_clipping.py",),
    ),
    Mutant(
        "clipping: small gradients are scaled up",
        "training/clipping.py",
        "math.isfinite(norm) and norm > limit",
        "math.isfinite(norm) and norm > 0",
        ("test_clipping.py",),
    ),
    Mutant(
        "adamw: first moment's correction missing",
        "training/optimizers.py",
        "lr / (1 - self.beta1**self.updates)",
        "lr",
        ("test_optimizers.py",),
    ),
    Mutant(
        "optimisers: the running square's correction missing",
        "training/optimizers.py",
        "1 / (1 - decay**updates)",
        "1",
        ("test_optimizers.py",),
    ),
    Mutant(
        "optimisers: biases decay with the last block of weights",
        "training/optimizers.py",
        "values[: decayed - begin] *=",
        "values *=",
        ("test_optimizers.py",),
    ),
    Mutant(
        "schedules: cosine of half a turn too little",
        "training/schedules.py",
        "math.cos(math.pi * rest)",
        "math.cos(math.pi * rest / 2)",
        ("test_schedules.py",),
    ),
    Mutant(
        "batching: a saved place shares memory with the lanes",
        "training/batching.py",
        '(row.copy() for row in place["lanes"][:3])',
        '(row for row in place["lanes"][:3])',
        ("test_batching.py",),
    ),
    Mutant(
        "batching: cuts one token after the line start",
        "training/batching.py",
        "return position + int(found[0]) if found.size",
        "return position + int(found[0]) + 1 if found.size",
        ("test_batching.py",),
    ),
    Mutant(
        "batching: restarts where a line ends, not where one begins",
        "training/batching.py",
        "before = self.ids[np.maximum(window.positions - 1, 0)]",
        "before = self.ids[np.maximum(window.positions, 0)]",
        ("test_batching.py",),
    ),
    Mutant(
        "batching: every epoch is the first",
        "training/batching.py",
        "np.random.SeedSequence([self.seed, 1, number])",
        "np.random.SeedSequence([self.seed, 1, 0])",
        ("test_batching.py",),
    ),
    # ---- lanes.py, scoring.py, sampling.py
    Mutant(
        "lanes: the target is its own input",
        "lanes.py",
        "taken = ids[np.maximum(self.positions - 1, 0)]",
        "taken = ids[np.maximum(self.positions, 0)]",
        ("test_lanes.py",),
    ),
    Mutant(
        "lanes: the target is one token late",
        "lanes.py",
        "taken = ids[np.maximum(self.positions, 0)]",
        "taken = ids[np.minimum(self.positions + 1, ids.size - 1)]",
        ("test_lanes.py",),
    ),
    Mutant(
        "lanes: warming tokens are counted",
        "lanes.py",
        "positions[t : t + taken] >= self.counted[lane]",
        "positions[t : t + taken] >= 0",
        ("test_lanes.py",),
    ),
    Mutant(
        "lanes: a piece starts again in every window",
        "lanes.py",
        "            self.fresh[lane] = False\n",
        "",
        ("test_lanes.py",),
    ),
    Mutant(
        "scoring: the state is not carried from window to window",
        "scoring.py",
        "logprobs, states = model.log_probabilities(",
        "logprobs, _ = model.log_probabilities(",
        ("test_scoring.py",),
    ),
    Mutant(
        "scoring: ranks begin at 0",
        "scoring.py",
        "ranks[where] = 1 + np.count_nonzero",
        "ranks[where] = np.count_nonzero",
        ("test_scoring.py",),
    ),
    Mutant(
        "scoring: lanes of a stream are not warmed up",
        "scoring.py",
        "yield Piece(max(0, begin - WARM), end, begin)",
        "yield Piece(begin, end, begin)",
        ("test_scoring.py",),
    ),
    Mutant(
        "sampling: multiplied by the temperature",
        "sampling.py",
        "log_softmax((wide - wide.max()) / config.temperature)",
        "log_softmax((wide - wide.max()) * config.temperature)",
        ("test_sampling.py",),
    ),
    Mutant(
        "sampling: the prompt's last token is read twice",
        "sampling.py",
        "        inputs = fed[begin : min(begin + window, len(fed) - 1)]\n",
        "        inputs = fed[begin : begin + window]\n",
        ("test_sampling.py",),
    ),
    # ---- continuations.py
    Mutant(
        "continuations: what ends a word is not counted",
        "continuations.py",
        "            ends = np.exp(np.delete(logprobs, self._letters)).sum()\n",
        "            ends = 1.0\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: a complete one does not wait for likelier beginnings",
        "continuations.py",
        " and not (chosen and self._frontier[0].complete):\n",
        ":\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: a word goes on after any character",
        "continuations.py",
        "        open_kinds = (_LETTER,) if node.ids else (_LETTER, _SPACE)\n",
        "        open_kinds = (_LETTER, _SPACE)\n",
        CONTINUATIONS,
    ),
    Mutant(
        "continuations: states of another lane",
        "continuations.py",
        "            mine = tuple(tuple(array[:, lane : lane + 1] for array in layer) for layer in after)\n",
        "            mine = tuple(tuple(array[:, :1] for array in layer) for layer in after)\n",
        CONTINUATIONS,
    ),
    # ---- language_model.py, starting from a model
    Mutant(
        "language model: rows of the head that are added stay as drawn",
        "nn/language_model.py",
        "                view[len(theirs) :] = theirs[like]\n",
        "                pass\n",
        ("../cli/test_cli_fine_tuning.py",),
    ),
]


class BrokenExperimentError(Exception):
    """The experiment itself is wrong."""


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(copy: Path) -> dict[str, str]:
    """The copy comes first; nothing is cached, for a changed file may keep its size and second; one thread."""
    return {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CI": "1",  # hypothesis draws the same examples each time, and keeps none
    }


def assert_copy_is_imported(copy: Path) -> None:
    """What the tests import is the copy."""
    command = [sys.executable, "-c", "import charlm.nn.lstm as m; print(m.__file__)"]
    done = subprocess.run(command, cwd=copy, env=environment(copy), capture_output=True, text=True, check=True)
    imported = Path(done.stdout.strip()).resolve()
    if imported != copy.resolve() / "charlm" / "nn" / "lstm.py":
        raise BrokenExperimentError(f"the tests would import {imported}, not the copy in {copy}")


def run_tests(copy: Path, names: tuple[str, ...]) -> tuple[int, str]:
    """Pytest's exit status and output; status 1 and a word about it if it takes too long."""
    files = [f"tests/nn/{name}" for name in names]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment(copy),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return 1, f"FAILED (no end after {SECONDS} s)\n"
    return done.returncode, done.stdout + done.stderr


def plant(copy: Path, mutant: Mutant) -> tuple[Path, str]:
    """Change the file; return it with its right text."""
    path = copy / "charlm" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise BrokenExperimentError(
            f"{mutant.what}: found {text.count(mutant.old)} times, not once, in {mutant.file}: {mutant.old!r}"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return path, text


def first_failure(output: str) -> str | None:
    """The first test that failed, without its folder."""
    found = re.search(r"^FAILED (?:tests/nn/)?(.+?)(?: - .*)?$", output, flags=re.MULTILINE)
    return found[1] if found else None


def attempt(copy: Path, mutant: Mutant) -> str | None:
    """Plant an error, run its tests, put the file right: the test that caught it, or None."""
    path, right = plant(copy, mutant)
    try:
        status, output = run_tests(copy, mutant.tests)
    finally:
        path.write_text(right, encoding="utf-8")
    if status == 0:
        return None
    caught = first_failure(output)
    if status != 1 or caught is None:
        raise BrokenExperimentError(f"{mutant.what}: the tests did not run:\n{output[-3000:]}")
    return caught


def experiment(copy: Path, mutants: list[Mutant]) -> int:
    """Try every mutant in a copy; how many survived."""
    for name in ("charlm", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    assert_copy_is_imported(copy)
    for mutant in mutants:  # all texts are found before any time is spent
        path, right = plant(copy, mutant)
        path.write_text(right, encoding="utf-8")
    names = tuple(sorted({name for mutant in mutants for name in mutant.tests}))
    status, output = run_tests(copy, names)
    if status:
        raise BrokenExperimentError(f"the tests fail without any mutant:\n{output[-3000:]}")
    say("| mutant | caught by |")
    say("| --- | --- |")
    survived = 0
    for mutant in mutants:
        caught = attempt(copy, mutant)
        survived += caught is None
        say(f"| {mutant.what} | {caught or '**nothing: it survived**'} |")
    return survived


def main(words: list[str]) -> int:
    """Run all mutants, or those whose description contains one of the words."""
    mutants = [m for m in MUTANTS if not words or any(word in m.what for word in words)]
    if not mutants:
        say(f"no mutant's description contains any of {words}")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="charlm-mutants-") as folder:
        try:
            survived = experiment(Path(folder), mutants)
        except BrokenExperimentError as error:
            say(f"broken: {error}")
            return 2
    say()
    say(f"{len(mutants) - survived} of {len(mutants)} caught in {time.monotonic() - began:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
