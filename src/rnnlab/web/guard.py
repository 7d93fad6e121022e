"""Who may speak to the service, and what a browser may do with its answers. Plain ASGI, around everything, websockets too.

- *Host*: without a token, only this machine's own names are answered, so that a foreign page that has its own name resolve to
  127.0.0.1 (DNS rebinding) reads nothing.
- *Origin*: a websocket, and every request that may change something, must come from the service's own pages or from no page.
- *Token*: where there is one, every request carries it: as ``Authorization: Bearer``, or as a cookie that ``/?token=...``
  sets once for a browser. It is compared in constant time.
- *Headers*: a content security policy without any other origin, no sniffing, no framing, no referrer.
"""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnlab.web.replies import refuse

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "rnnlab_token"
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN_PATHS = ("/healthz",)
STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DOCS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The page's templates are compiled in the browser, which is what 'unsafe-eval' stands for; nothing comes from elsewhere.
PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets through what is allowed, and puts the headers on what comes back.

    Args:
        app: what is guarded.
        token: that every request must carry; None lets in who reaches a loopback address by its own name.
        hosts: names that are answered without a token, beside the loopback ones.
    """

    def __init__(self, app: ASGIApp, *, token: str | None = None, hosts: Sequence[str] = ()) -> None:
        self._app, self._token = app, token
        self._hosts = {*LOOPBACK, *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, scope)
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what to say to a request that is not let through; None lets it through."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._token is None and _name(host) not in self._hosts:
            return refuse(f"host must be {LOOPBACK[0]} or localhost, got {host[:100]!r}; ask by that name", 421)
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE
        origin = headers.get("origin")
        if changes and origin is not None and _place(origin) != host.lower():
            return refuse(f"origin must be the service's own, got {origin[:100]!r}; use its own pages", 403)
        if changes and origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return refuse("origin must be the service's own, got another site; use its own pages", 403)
        if self._token is None or scope["path"] in OPEN_PATHS or self._known(_carried(headers)):
            return None
        return self._enter(scope)

    def _enter(self, scope: Scope) -> Response:
        """Return the cookie to a browser that comes with ``?token=``, and a refusal to others."""
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if scope.get("method") == "GET" and given is not None and self._known(given):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            # One slash: '//evil' would be another host.
            path = "/" + scope["path"].lstrip("/\\")
            response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303, {"Cache-Control": "no-store"})
            # Not strict: a link that is followed from a mail would arrive here without the cookie that it was just given.
            response.set_cookie(COOKIE, given, httponly=True, samesite="lax", secure=scope["scheme"] == "https")
            return response
        got = "none" if given is None and _carried(Headers(scope=scope)) is None else "another"
        words = f"token must be the one that rnnlab serve was given, got {got}; send Authorization: Bearer TOKEN"
        return refuse(f"{words}, or open /?token=TOKEN in a browser", 401, {"WWW-Authenticate": "Bearer"})

    def _known(self, given: str | None) -> bool:
        assert self._token is not None
        return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())


def _carried(headers: Mapping[str, str]) -> str | None:
    """Return the token of a request, from its header or its cookie."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _name(host: str) -> str:
    """Return the name in a Host header, without its port: ``[::1]:80`` is ``::1``."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _place(origin: str) -> str:
    """Return what stands in a Host header of an origin's own requests; empty for an opaque origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def policy(path: str) -> str:
    """Return the content security policy of a path: strict for data, ours for the documentation, NiceGUI's for the page."""
    if path.startswith("/docs"):
        return DOCS
    return STRICT if path.startswith(("/api", "/healthz", "/openapi.json")) else PAGE


def _with_headers(send: Send, scope: Scope) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Content-Security-Policy", policy(scope["path"]))
            if scope["path"].startswith("/api"):
                headers.setdefault("Cache-Control", "no-store")
        try:
            await send(message)
        except RuntimeError as error:
            # uvloop says so where the client left a moment ago and the server has not been told yet; let it be told.
            if "handler is closed" not in str(error):
                raise
            await asyncio.sleep(0)

    return wrapped
