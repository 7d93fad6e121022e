"""The service as a process: an address, an event loop, and a clean end.

It knows sockets and signals; what is answered is the application's business (`rnnlab.web.server`).
"""

import asyncio
import gc
import ipaddress
import os
import socket
import string
from collections.abc import Callable
from importlib.util import find_spec

import uvicorn
from fastapi import FastAPI

from rnnlab.errors import ConfigError
from rnnlab.web.connections import Connections, Watched, cut
from rnnlab.web.limits import Limits

MAKE_TOKEN = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
SHORTEST_TOKEN = 16
# Files that the process opens beside its connections.
SPARE_FILES = 64
STOP_SECONDS = 3
BACKLOG = 512


def check_token(host: str, token: str | None) -> None:
    """Raise `ConfigError` where the address can be reached by others and there is no token, or one that is easily guessed.

    Example:
        >>> check_token("127.0.0.1", None)
    """
    if token is None:
        if not is_loopback(host):
            raise ConfigError(
                f"host must be 127.0.0.1 where there is no token, got {host}; make one with {MAKE_TOKEN}, "
                "and pass it as --token, or as RNNLAB_TOKEN in the environment"
            )
        return
    if len(token) < SHORTEST_TOKEN or set(token) - set(string.ascii_letters + string.digits + "-_.~"):
        raise ConfigError(
            f"token must be at least {SHORTEST_TOKEN} letters, digits and -_.~, got {len(token)} characters; "
            f"make one with {MAKE_TOKEN}"
        )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to the address.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"port must be between 0 and 65535, got {port}; pass --port 8080, or 0 for any that is free")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"host must be an address of this machine, got {host[:100]!r} ({error})") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        # Now, and not when the loop begins: two servers may bind a port, but only one may listen.
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        reason = error.strerror or error
        raise ConfigError(f"port must be free, got {host}:{port} ({reason}); pass another --port, or 0") from None
    return found


def serve(app: FastAPI, bound: socket.socket, *, ready: Callable[[str], None]) -> None:
    """Answer at the socket until the process is told to stop, which raises `KeyboardInterrupt` when all is closed.

    Args:
        app: from `rnnlab.web.server.create_app`.
        bound: from `listen`.
        ready: is told the address when it is about to answer.
    """
    limits: Limits = app.state.limits
    watch = Connections(limits.replace(connections=min(limits.connections, _most_files() - SPARE_FILES)))
    config = uvicorn.Config(
        app, http=type("Bounded", (Watched,), {"watch": watch}), loop="uvloop" if find_spec("uvloop") else "asyncio",
        lifespan="on", log_config=None, log_level="error", access_log=False, server_header=False, proxy_headers=False,
        ws_max_size=limits.body, timeout_keep_alive=30, timeout_graceful_shutdown=2 * STOP_SECONDS, backlog=BACKLOG,
    )  # fmt: skip
    host, port = bound.getsockname()[:2]
    # What is imported stays: looked through for garbage, it stalls every client for 100 to 400 ms, once in some 1500 requests.
    gc.collect()
    gc.freeze()
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    try:
        _Server(config).run(sockets=[bound])
    finally:
        gc.unfreeze()


class _Server(uvicorn.Server):
    """uvicorn's server, which ends though a client does not."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let who is being answered have the answer, for a while; then cut the rest."""
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._cut)
        await super().shutdown(sockets)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            cut(connection)


def _most_files() -> int:
    """Return how many files this process may open; as many as it is allowed to allow itself."""
    if os.name != "posix":
        return 512
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return 4096 if soft == resource.RLIM_INFINITY else soft
