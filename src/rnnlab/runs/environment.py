"""Where a run was made: what decides whether its figures come out again."""

import os
import platform
from typing import Any

import numpy
import torch

from rnnlab import __version__


def environment() -> dict[str, Any]:
    """Return versions, processor and thread count as JSON types; no host name, user or path."""
    return {
        "rnnlab": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
