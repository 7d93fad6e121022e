"""Files that people upload: kept inside one folder, under names of ours, whole or not at all.

The client's file name is kept as text to show, and its ending where it is one that the readers know; it is no part of any path.
"""

import os
import re
import secrets
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path

from rnnlab.errors import DataError, OutputError
from rnnlab.web.limits import Limits

ENDINGS = re.compile(r"\.(csv|tsv|tab|psv|txt|json|jsonl|ndjson|parquet|pq)(\.(gz|gzip|bz2|xz))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded.

    Args:
        id: ours, and the stem of its name on disk.
        path: where it is.
        name: what the client called it, shortened; to show, never to open.
        size: in bytes.
    """

    id: str
    path: Path
    name: str
    size: int


class Uploads:
    """A folder of uploaded files.

    Args:
        folder: made when the first file comes.
        limits: bytes of a file.
        total: bytes of all files together.

    Example:
        >>> Uploads(Path("nowhere"), Limits()).total
        536870912
    """

    def __init__(self, folder: Path, limits: Limits, *, total: int = 512 * 2**20) -> None:
        self.folder, self._limits, self.total = folder.resolve(), limits, total

    async def save(self, name: str, chunks: AsyncIterable[bytes]) -> Upload:
        """Return the file that ``chunks`` are written to.

        Args:
            name: the client's.
            chunks: the content, as it comes.

        Raises:
            DataError: an ending that no reader knows, or more bytes than allowed.
            OutputError: the disk is full, or the folder cannot be written; nothing is left behind.
        """
        ending = ENDINGS.search(name)
        if ending is None:
            raise DataError(
                f"file must be a table (.csv, .tsv, .json, .parquet) or .txt, got {_shown(name)!r}; save it so"
            )
        room = min(self._limits.upload, self.total - self._used())
        ident = secrets.token_hex(8)
        path = self.folder / f"{ident}{ending.group().lower()}"
        part = path.with_name(f".{path.name}.part")
        size = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > room:
                        raise DataError(f"file must be at most {max(0, room):,} bytes, got more; upload less of it")
                    # An unbuffered write to a disk that fills up is short first, and fails then.
                    view = memoryview(chunk)
                    while view:
                        view = view[file.write(view) :]
            os.replace(part, path)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"{_shown(name)} cannot be kept: {reason}; make room, and upload it again") from None
        finally:
            part.unlink(missing_ok=True)
        return Upload(ident, path, _shown(name), size)

    def remove(self, upload: Upload) -> None:
        """Delete a file that is no longer needed."""
        upload.path.unlink(missing_ok=True)

    def _used(self) -> int:
        if not self.folder.is_dir():
            return 0
        return sum(entry.stat().st_size for entry in os.scandir(self.folder) if entry.is_file(follow_symlinks=False))


def _shown(name: str) -> str:
    """Return the last part of a client's file name, without what a terminal or a page might take for more than text."""
    plain = re.sub(r"[^\w .()+-]", "_", re.split(r"[/\\]", name)[-1])
    return plain[-80:]
