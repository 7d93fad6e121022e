"""Who may stay connected: a bounded number, none that is silent for long, none that does not read its answer.

A connection is silent until the head of a request has come whole, and again after each answer. Silent ones may be cut: when
they take too long, and, the longest silent first, when a new one comes and there is no room. So ten thousand sockets that say
nothing keep nobody out.
"""

import asyncio
import time
from collections import OrderedDict
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rnnlab.web.limits import Limits

SWEEP_SECONDS = 1.0
HEAD_BYTES = 65_536


class Connections:
    """The open connections of one server.

    Args:
        limits: how many, and how long one may be silent.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._silent: OrderedDict[Watched, float] = OrderedDict()
        self._unread: dict[Any, tuple[int, float]] = {}
        self._sweeping = False

    def admit(self, new: "Watched") -> bool:
        """Return whether there is room for a new connection, or could be made."""
        if not self._sweeping:
            self._sweeping = True
            new.loop.call_later(SWEEP_SECONDS, self._sweep, new)
        while len(new.connections) > self._limits.connections and self._silent:
            longest, _ = self._silent.popitem(last=False)
            new.connections.discard(longest)
            longest.cut()
        return len(new.connections) <= self._limits.connections

    def silent(self, connection: "Watched") -> None:
        """Note that a connection waits for a request from now on."""
        self._silent[connection] = time.monotonic()
        self._silent.move_to_end(connection)

    def heard(self, connection: "Watched") -> None:
        """Note that a connection has sent a head, or has ended."""
        self._silent.pop(connection, None)

    def is_silent(self, connection: "Watched") -> bool:
        """Return whether a connection's head has not come yet."""
        return connection in self._silent

    def _sweep(self, any_one: "Watched") -> None:
        """Cut those that were silent too long, and those that do not read; come back as long as there is any."""
        now, seconds = time.monotonic(), self._limits.silence
        for connection in [one for one, since in self._silent.items() if since + seconds < now]:
            connection.give_up(seconds)
        unread = {}
        for one in list(any_one.connections):
            size = one.transport.get_write_buffer_size()
            before, since = self._unread.get(one, (0, now))
            if size:
                unread[one] = (size, since if size == before else now)
                if size == before and since + seconds < now:
                    cut(one)
        self._unread = unread
        self._sweeping = bool(any_one.connections)
        if self._sweeping:
            any_one.loop.call_later(SWEEP_SECONDS, self._sweep, any_one)


def cut(connection: Any) -> None:
    """End a connection of any protocol now."""
    if isinstance(connection, Watched):
        connection.cut()
    else:
        connection.transport.abort()


class Watched(HttpToolsProtocol):
    """uvicorn's HTTP connection, counted and timed."""

    watch: ClassVar[Connections]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or say that there is no room."""
        super().connection_made(transport)
        self._head = 0
        if self.watch.admit(self):
            self.watch.silent(self)
        else:
            self._refuse(503, "connections must be fewer, got all that are allowed in use; ask again in 1 s", retry=1)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self.watch.heard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of a request grows without end."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._head = self._head + len(data) if self.watch.is_silent(self) else 0
        if self._head > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"head must be at most {HEAD_BYTES:,} bytes, got more; name a run by its id")

    def on_headers_complete(self) -> None:
        """Note that the head of a request is whole."""
        self.watch.heard(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Note that the answer is out; where no other request waits already, the connection is silent."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.watch.silent(self)

    def give_up(self, seconds: float) -> None:
        """End a connection that was silent too long; in words, where it had begun to speak."""
        self.watch.heard(self)
        if self._head and not self.transport.is_closing():
            self._refuse(408, f"head must come within {seconds:g} s, got a part of it; send it again")
        else:
            self.cut()

    def cut(self) -> None:
        """End the connection now, whatever it waits for."""
        # Whoever is still about to answer must know before the transport is closed, or the loop raises.
        for cycle in (self.cycle, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                cycle.disconnected = True
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has an address that no parser takes."""
        if len(getattr(self, "url", b"")) > HEAD_BYTES // 2:
            self._refuse(431, f"head must be at most {HEAD_BYTES:,} bytes, got more; name a run by its id")
            return
        self._refuse(400, "request must be HTTP/1.1, got something else; see /docs")

    def _refuse(self, status: int, words: str, *, retry: int | None = None) -> None:
        body = orjson.dumps({"error": words})
        head = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json",
            f"Content-Length: {len(body)}", "Connection: close", "X-Content-Type-Options: nosniff",
        ]  # fmt: skip
        head += [f"Retry-After: {retry}"] if retry is not None else []
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()
