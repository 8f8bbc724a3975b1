"""Scripts of the project that stand in no package, loaded as modules."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def load_script(path: str, *, shared: bool = False) -> Any:
    """A script as a module, anew.

    Args:
        path: below the project's folder.
        shared: whether what imports it by its name from now on gets this module.
    """
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if shared:
        sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
