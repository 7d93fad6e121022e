"""Files before they are tables: found, unpacked, and known to be UTF-8 text; every defect named with its line.

Compression is told by content, not by name. What a compressed or UTF-16 file holds goes to a temporary file, so that
memory does not grow with it.
"""

import bz2
import codecs
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from rnnlab.errors import DataError

_BLOCK = 1 << 20
_OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_ZSTD = b"\x28\xb5\x2f\xfd"
PACKED = frozenset({".gz", ".bz2", ".xz", ".gzip", ".zst", ".zstd"})
_FOREIGN = {
    b"PK\x03\x04": "an archive or a workbook (zip, xlsx)",
    b"\xd0\xcf\x11\xe0": "an old workbook (xls)",
    b"%PDF": "a PDF",
    b"SQLite format": "a database",
    b"\x80\x04\x95": "a pickle",
}


@contextmanager
def plain_file(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a readable, uncompressed copy of ``path`` (or itself) and its format: ``csv``, ``json`` or ``parquet``.

    Raises:
        DataError: no such file, a folder, no permission, empty, damaged, foreign, or not UTF-8 text.
    """
    head = _head(path)
    openers: dict[bytes, Callable[..., IO[bytes]]] = _OPENERS | ({_ZSTD: _zstd(path)} if head.startswith(_ZSTD) else {})
    opener = next((opener for magic, opener in openers.items() if head.startswith(magic)), None)
    if opener is not None or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        handle, name = tempfile.mkstemp(prefix="rnnlab-")
        os.close(handle)
        try:
            _unpack(path, opener, Path(name))
            yield _checked(Path(name), path)
        finally:
            os.unlink(name)
    else:
        yield _checked(path, path)


def _zstd(path: Path) -> Callable[..., IO[bytes]]:
    """Return what opens a file of Zstandard: Python's own from 3.14 on, or the first package that is there.

    Raises:
        DataError: none is there.
    """
    for name in ("compression.zstd", "zstandard"):
        with suppress(ImportError):
            return cast("Callable[..., IO[bytes]]", import_module(name).open)
    with suppress(ImportError):
        arrow = import_module("pyarrow")
        return lambda path, mode: cast("IO[bytes]", arrow.CompressedInputStream(str(path), "zstd"))
    raise DataError(
        f"{path} must be unpacked by a package, got zstd and none of zstandard, pyarrow; pip install zstandard, or zstd -d {path}"
    )


def _head(path: Path) -> bytes:
    """Return the first bytes of a file that exists and may be read."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise DataError(f"{path} must be a file or folder, got nothing at that place; check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} must be a file, got a folder; name a file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path} must be readable, got {reason!r}; check the path and its permissions") from None
    if not head:
        raise DataError(f"{path} must have a header and rows, got an empty file; check where it was written")
    return head


def _unpack(path: Path, opener: Callable[..., IO[bytes]] | None, target: Path) -> None:
    """Write what ``path`` holds, unpacked, and as UTF-8 where it is UTF-16."""
    try:
        source: IO[bytes] = opener(path, "rb") if opener else path.open("rb")
        with source, target.open("wb") as out:
            block = source.read(_BLOCK)
            wide = block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            decoder = codecs.getincrementaldecoder("utf-16")("strict")
            while block:
                out.write(decoder.decode(block).encode("utf-8") if wide else block)
                block = source.read(_BLOCK)
            if wide:
                decoder.decode(b"", final=True)
    except UnicodeError:
        raise DataError(f"{path} must be whole UTF-16 text, got a broken character; save it as UTF-8") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{path} must be a whole compressed file, got {str(error)!r}; fetch it again") from None


def _checked(plain: Path, path: Path) -> tuple[Path, str]:
    """Return the plain file and its format, once its text is known to be text."""
    head = _head(plain)
    if head.startswith(b"PAR1"):
        return plain, "parquet"
    for magic, noun in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{path} must be CSV, TSV, JSON lines or Parquet, got {noun}; save it as CSV")
    _check_text(plain, path)
    stem = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return plain, "json" if stem.suffix.lower() in (".json", ".jsonl", ".ndjson") else "csv"


def _check_text(plain: Path, path: Path) -> None:
    """Raise where the file is not UTF-8, or holds NUL; the line is named."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    line, waiting = 1, b""
    with plain.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                joined = waiting + block
                line += joined[: error.start].count(b"\n")
                raise DataError(_not_utf8(path, line, joined[error.start])) from None
            if b"\0" in block:
                line += block[: block.index(b"\0")].count(b"\n")
                raise DataError(f"{path} line {line} must be text, got a NUL byte; save it as UTF-8 text")
            waiting = decoder.getstate()[0]
            line += block.count(b"\n")
    if waiting:
        raise DataError(_not_utf8(path, line, waiting[0]))


def _not_utf8(path: Path, line: int, byte: int) -> str:
    return (
        f"{path} line {line} must be UTF-8 text, got the byte 0x{byte:02x}; "
        f"save it as UTF-8 (such as: iconv -f latin1 -t utf-8)"
    )
