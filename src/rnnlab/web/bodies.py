"""How large a request may be, and how slow. Plain ASGI, so that the page's uploads are held to it too.

A body is read whole before anything behind sees it; an upload, which may be large, is measured by its declared length and
passed on as it comes. What is too large is read to its end and thrown away, up to a bound, before it is refused: a client that
is still sending does not see an answer that comes before.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnlab.web.limits import Limits
from rnnlab.web.replies import refuse

UPLOADS = "/_nicegui/client/"
# So much of a body that is too large is still read, for its sender to see the answer.
DISCARD = 256 * 2**20
SPARE = 32 * 2**20
CLOSE = {"Connection": "close"}


class Bodies:
    """Refuses bodies that are too large, come too slowly, or do not fit the disk.

    Args:
        app: what is behind it.
        limits: bytes of a request and of an upload; seconds of silence.
        folder: where uploads are kept.
    """

    def __init__(self, app: ASGIApp, limits: Limits, folder: Path) -> None:
        self._app, self._limits, self._folder = app, limits, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if "transfer-encoding" not in headers and declared in ("", "0"):
            await self._app(scope, receive, send)
            return
        length = int(declared) if declared.isdecimal() else None
        found: Receive | Response | None
        if scope["path"].startswith(UPLOADS):
            found = await self._upload(receive, length)
        else:
            found = await self._whole(receive, length, expected="expect" in headers)
        if isinstance(found, Response):
            await found(scope, receive, send)
        elif found is not None:
            await self._app(scope, found, send)

    async def _whole(self, receive: Receive, length: int | None, *, expected: bool) -> Receive | Response | None:
        """Return a channel that gives the body, which has been read whole; None where its sender has left."""
        largest, seconds, parts, size = self._limits.body, self._limits.silence, list[bytes](), length or 0
        if size > largest:
            # Who asks whether to go on (Expect) has sent nothing yet.
            return await self._too_large(None if expected else receive, largest, size)
        size, more = 0, True
        while more:
            try:
                message = await asyncio.wait_for(receive(), seconds)
            except TimeoutError:
                return _too_slow(seconds)
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > largest:
                return await self._too_large(receive if more else None, largest, size)
        return _replay([{"type": "http.request", "body": b"".join(parts), "more_body": more}], receive)

    async def _upload(self, receive: Receive, length: int | None) -> Receive | Response:
        """Return a channel that gives the body as it comes; a client that is silent too long has left."""
        largest, seconds = self._limits.upload, self._limits.silence
        if length is None:
            return refuse("upload must say its Content-Length, got none; send it whole", 411, CLOSE)
        if length > largest:
            return await self._too_large(receive, largest, length)
        free = min(_free(place) for place in (self._folder, Path(tempfile.gettempdir())))
        if free < 2 * length + SPARE:
            await _discard(receive, length, seconds)
            words = (
                f"disk must have room for {2 * length + SPARE:,} bytes, got {free:,}; make room, and upload it again"
            )
            return refuse(words, 507, CLOSE)
        left = length

        async def timed() -> Message:
            nonlocal left
            if left <= 0:
                return await receive()  # until the client leaves: it may take its time
            try:
                message = await asyncio.wait_for(receive(), seconds)
            except TimeoutError:
                return {"type": "http.disconnect"}
            left -= len(message.get("body", b""))
            return message

        return timed

    async def _too_large(self, receive: Receive | None, largest: int, size: int) -> Response:
        if receive is not None:
            await _discard(receive, DISCARD, self._limits.silence)
        return refuse(f"body must be at most {largest:,} bytes, got {size:,} or more; send it in parts", 413, CLOSE)


def _too_slow(seconds: float) -> Response:
    return refuse(f"body must come without pauses, got one of {seconds:g} s; send it again", 408, CLOSE)


async def _discard(receive: Receive, most: int, seconds: float) -> None:
    """Read what is left of a body, within bounds, and keep none of it."""
    try:
        async with asyncio.timeout(seconds):
            while most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        pass


def _replay(messages: Iterable[Message], receive: Receive) -> Receive:
    left = iter(messages)

    async def replayed() -> Message:
        for message in left:
            return message
        return await receive()

    return replayed


def _free(place: Path) -> int:
    """Return the free bytes of the disk that ``place`` is on, or will be."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
