"""How the kernels are compiled: once, without the interpreter lock, and kept on disk for the next start.

Numba keeps compiled code beside the source, or in the user's cache folder where the package is read-only; the variable
``NUMBA_CACHE_DIR`` overrides both. Where none of them can be written, a private folder among the temporary files
serves. Only the drivers are kept (`compiled`); what they call is compiled into them (`inlined`). This module knows
no cell.
"""

import logging
import os
import stat
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., object])

# Contraction to fused multiply-adds, and no more: a NaN must stay a NaN, so that a diverged run is seen.
MATHS = {"contract", "nsz", "arcp"}


_log = logging.getLogger(__name__)

_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": MATHS, "error_model": "numpy"}


def emitted(function: Callable[..., Any]) -> Any:
    """Return an operation of compiled code that ``function`` writes in LLVM's own terms (numba's intrinsic)."""
    return intrinsic(function)


def inlined(function: Function) -> Function:
    """Return ``function`` for the use of compiled code alone, which takes it in whole."""
    return cast(Function, numba.njit(forceinline=True, **_OPTIONS)(function))


def helper(function: Function) -> Function:
    """Return ``function`` for the use of compiled code alone, which calls it."""
    return cast(Function, numba.njit(**_OPTIONS)(function))


_kept: list[Any] = []


def compiled(function: Callable[..., None], signature: Any) -> int:
    """Return the address of ``function`` compiled as a C function; the code is cached on disk."""
    try:
        made = numba.cfunc(signature, cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba found no folder to write to
        folder = private_folder()
        if folder is not None:
            vars(config)["CACHE_DIR"] = str(folder)
        made = numba.cfunc(signature, cache=folder is not None, **_OPTIONS)(function)
    if not made.cache_hits:
        _log.info("compiled the recurrent kernels; the next start loads them from disk")
    _kept.append(made)  # the code lives as long as its object
    address: Any = made.address
    return int(address)


def source_stamp() -> int:
    """Return a number, not 0, that changes with any file of this package.

    Numba renews cached code when the file of the driver changes, not when that of a function compiled into it does.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return zlib.crc32(b"".join(source.read_bytes() for source in sources)) | 1


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
