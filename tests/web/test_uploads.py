"""Uploads: one folder, names of ours, limits, and disks that are full."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.web import loops

pytest.importorskip("fastapi", reason='needs pip install "rnnlab[web]"')

from hypothesis import given
from hypothesis import strategies as st

from rnnlab.errors import DataError, OutputError
from rnnlab.web import bodies, uploads
from rnnlab.web.bodies import Bodies
from rnnlab.web.limits import Limits
from rnnlab.web.uploads import Upload, Uploads


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def save(keeper: Uploads, name: str, *parts: bytes) -> Upload:
    return loops.run(keeper.save(name, chunks(*parts)))


def test_an_upload_is_kept_whole_under_a_name_of_ours(tmp_path: Path) -> None:
    keeper = Uploads(tmp_path / "deep" / ".uploads", Limits())
    found = save(keeper, "My names.CSV.gz", b"a,b\n", b"", b"1,2\n")
    assert found.path.read_bytes() == b"a,b\n1,2\n"
    assert found.path.parent == tmp_path / "deep" / ".uploads"
    assert found.path.name == f"{found.id}.csv.gz"
    assert (found.name, found.size) == ("My names.CSV.gz", 8)
    assert found.path.stat().st_mode & 0o077 == 0
    keeper.remove(found)
    assert list(keeper.folder.iterdir()) == []


@given(st.text(max_size=60), st.sampled_from([".csv", ".jsonl", ".parquet", ".txt", ".tsv.xz"]))
def test_no_name_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str, ending: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "uploads"
    keeper = Uploads(folder, Limits())
    for one in (name + ending, f"../../{name}/..\\{name}{ending}", f"/etc/{name}\0{ending}"):
        found = save(keeper, one, b"x")
        assert found.path.parent == folder.resolve()
        assert found.path.name == f"{found.id}{ending}"
        assert len(found.name) <= 80
        assert not set(found.name) & set("/\\\0<>\n")
        keeper.remove(found)


@pytest.mark.parametrize("name", ["", "names", "names.exe", "names.csv.exe", ".csv/", "run.pkl", "x" * 100_000])
def test_only_tables_are_taken(tmp_path: Path, name: str) -> None:
    keeper = Uploads(tmp_path, Limits())
    with pytest.raises(DataError, match="file must be a table") as caught:
        save(keeper, name, b"x")
    assert len(str(caught.value)) < 300
    assert list(tmp_path.iterdir()) == []


def test_too_many_bytes_leave_nothing_behind(tmp_path: Path) -> None:
    keeper = Uploads(tmp_path, Limits(upload=2048), total=3000)
    with pytest.raises(DataError, match="file must be at most 2,048 bytes"):
        save(keeper, "a.csv", b"x" * 1024, b"x" * 1025)
    assert list(tmp_path.iterdir()) == []
    save(keeper, "a.csv", b"x" * 2048)
    with pytest.raises(DataError, match="file must be at most 952 bytes"):
        save(keeper, "b.csv", b"x" * 1024)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_fills_up_is_said_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Uploads(tmp_path, Limits())
    first = save(keeper, "a.csv", b"kept")
    usual = open

    class Full:
        """A file on a disk with room for 10 bytes: a write is short, and the next one fails, as the kernel has it."""

        def __init__(self, handle: int) -> None:
            self.handle, self.room = handle, 10

        def write(self, data: Any) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = os.write(self.handle, data[: self.room])
            self.room -= taken
            return taken

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *about: object) -> None:
            os.close(self.handle)

    monkeypatch.setattr(uploads, "open", lambda handle, *rest, **options: Full(handle), raising=False)
    with pytest.raises(OutputError, match=r"b\.csv cannot be kept: No space left on device; make room"):
        save(keeper, "b.csv", b"12345678", b"12345678")
    monkeypatch.setattr(uploads, "open", usual, raising=False)
    assert list(tmp_path.iterdir()) == [first.path]
    assert first.path.read_bytes() == b"kept"
    assert save(keeper, "b.csv", b"12345678").size == 8


def test_a_client_that_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(OutputError, match=r"a\.csv cannot be kept"):
        loops.run(Uploads(tmp_path, Limits()).save("a.csv", broken()))
    assert list(tmp_path.iterdir()) == []


def send(headers: dict[str, str], parts: list[bytes], tmp_path: Path, pause: float = 0.0) -> tuple[int, bytes]:
    """Send an upload through the limits on bodies; return the status, and what came through to the page."""
    came, status, left = bytearray(), [0], list(parts)

    async def page(scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            came.extend(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send(
            {"type": "http.response.start", "status": 200 if message["type"] == "http.request" else 499, "headers": []}
        )

    async def receive() -> Any:
        if not left:
            await asyncio.sleep(pause)
        part = left.pop(0) if left else b""
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def said(message: Any) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]

    scope = {
        "type": "http", "method": "POST", "path": "/_nicegui/client/abc/upload/1", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    loops.run(Bodies(page, Limits(upload=4096, silence=0.2), tmp_path)(scope, receive, said))
    return status[0], bytes(came)


def test_uploads_pass_as_they_come_within_their_own_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send({"Content-Length": "8"}, [b"1234", b"5678"], tmp_path) == (200, b"12345678")
    assert send({"Content-Length": "4097"}, [b"x" * 4097], tmp_path) == (413, b"")
    assert send({"Transfer-Encoding": "chunked"}, [b"1234"], tmp_path) == (411, b"")
    monkeypatch.setattr(bodies, "_free", lambda place: bodies.SPARE + 15)
    assert send({"Content-Length": "8"}, [b"1234", b"5678"], tmp_path) == (507, b"")
    monkeypatch.setattr(bodies, "_free", lambda place: bodies.SPARE + 16)
    assert send({"Content-Length": "8"}, [b"1234", b"5678"], tmp_path) == (200, b"12345678")
