"""How the kernels are compiled: once, without the interpreter lock, and kept on disk for the next start.

Numba keeps compiled code beside the source, or in the user's cache folder where the package is read-only; the variable
``NUMBA_CACHE_DIR`` overrides both. Where none of them can be written, a private folder among the temporary files
serves. This module knows no cell.
"""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba.core import config

Function = TypeVar("Function", bound=Callable[..., object])

# Contraction to fused multiply-adds, and no more: a NaN must stay a NaN, so that a diverged run is seen.
MATHS = {"contract", "nsz", "arcp"}


def compiled(function: Function) -> Function:
    """Return ``function`` compiled by numba when first called; the code is cached on disk.

    Example:
        >>> @compiled
        ... def double(x):
        ...     return 2 * x
    """
    options = {"nogil": True, "fastmath": MATHS, "error_model": "numpy", "boundscheck": False}
    try:
        return cast(Function, numba.njit(cache=True, **options)(function))
    except RuntimeError:
        folder = private_folder()
        if folder is None:
            return cast(Function, numba.njit(**options)(function))
        config.CACHE_DIR = str(folder)
        return cast(Function, numba.njit(cache=True, **options)(function))


def private_folder() -> Path | None:
    """Return a folder that this user alone can write, or None where there is none.

    Cached code is executed when it is loaded, so a folder that others can write would not do.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"rnnlab-kernels-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = not hasattr(os, "getuid") or (found.st_uid == user and not found.st_mode & 0o077)
    return folder if ours and stat.S_ISDIR(found.st_mode) and os.access(folder, os.W_OK) else None
