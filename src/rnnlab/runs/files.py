"""Files that are written whole or not at all."""

import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rnnlab.errors import OutputError


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader finds the old file or the new one, never half of it.

    Raises:
        OutputError: where the place cannot be written or is full; the old file is untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; choose another --out") from None


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Yield a text file that takes the place of ``path`` when the block is left without an error, and no place otherwise.

    Raises:
        OutputError: where the place cannot be written or is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; choose another --out") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; choose another --out") from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def to_json(value: Any) -> bytes:
    """Return ``value`` as strict JSON: figures that are not finite become null."""
    return (json.dumps(finite(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """Return ``value`` with figures that are not finite as None, and all keys as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
