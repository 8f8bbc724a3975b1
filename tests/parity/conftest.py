"""These tests need PyTorch and ONNX Runtime, the extra ``parity``; without them they are left out, but for KenLM's."""

import sys
from importlib.util import find_spec
from pathlib import Path

collect_ignore_glob = [] if find_spec("torch") and find_spec("onnxruntime") else ["test_parity_[!k]*.py"]

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "exchange"))
