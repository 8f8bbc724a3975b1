"""What the bits of a run depend on besides its inputs: versions, the BLAS kernel in use, and its threads."""

import platform

import numpy as np

from charlm.version import __version__


def fingerprint() -> dict[str, str]:
    """Versions of charlm, Python and NumPy, and BLAS library, kernel and threads, as strings."""
    import safetensors  # noqa: PLC0415 - only here and in the checkpoint
    import threadpoolctl  # noqa: PLC0415 - it inspects every loaded library, which takes a while

    blas = [entry for entry in threadpoolctl.threadpool_info() if entry.get("user_api") == "blas"]
    found = blas[0] if blas else {}
    return {
        "charlm": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "blas": f"{found.get('internal_api', 'unknown')} {found.get('version', '')}".strip(),
        "kernel": str(found.get("architecture", "unknown")),
        "threads": str(found.get("num_threads", "unknown")),
    }
