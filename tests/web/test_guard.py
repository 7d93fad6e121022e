"""Who may speak to the service: hosts, origins, tokens, and the headers of what comes back."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason='needs pip install "rnnlab[web]"')

from fastapi import FastAPI
from tests.web import loops
from tests.web.asking import ADDRESS, ask

from rnnlab.errors import ConfigError
from rnnlab.web.guard import COOKIE, Guard
from rnnlab.web.process import check_token, is_loopback, listen
from rnnlab.web.server import create_app
from rnnlab.web.store import RunStore

TOKEN = "a-token_of-thirty-two-characters"
QUESTION = {"json": {"run": "strings", "input": "a"}}


@pytest.fixture(scope="module")
def app(runs: Path) -> FastAPI:
    return create_app(RunStore([runs]), page=False)


@pytest.fixture(scope="module")
def guarded(runs: Path) -> FastAPI:
    return create_app(RunStore([runs]), page=False, token=TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:9", "[::1]:8080"])
def test_this_machine_is_answered_by_its_own_names(app: FastAPI, host: str) -> None:
    assert ask(app, "POST", "/api/predict", headers={"Host": host}, **QUESTION).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "localhost.evil", "", "[", "a b", "10.0.0.1"]
)
@pytest.mark.parametrize("path", ["/api/runs", "/healthz", "/docs", "/"])
def test_other_names_are_refused_against_dns_rebinding(app: FastAPI, host: str, path: str) -> None:
    answer = ask(app, "GET", path, headers={"Host": host})
    assert answer.status_code == 421
    assert "host must be 127.0.0.1 or localhost" in answer.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Origin": "http://localhost:8080"}, 403),  # another origin than the address that is asked
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_foreign_pages_may_not_ask(app: FastAPI, headers: dict[str, str], status: int) -> None:
    answer = ask(app, "POST", "/api/predict", headers=headers, **QUESTION)
    assert answer.status_code == status
    assert status == 200 or "origin must be the service's own" in answer.json()["error"]
    assert "access-control-allow-origin" not in answer.headers


def websocket(token: str | None, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a websocket is told that asks to be let in."""
    told: list[dict[str, Any]] = []
    scope = {
        "type": "websocket", "path": "/_nicegui_ws/socket.io/", "raw_path": b"/_nicegui_ws/socket.io/", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()], "scheme": "ws",
        "subprotocols": [], "state": {}, "root_path": "", "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        told.append(message)

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    loops.run(Guard(inside, token=token)(scope, receive, send))
    return told


def test_websockets_are_held_to_origin_host_and_token() -> None:
    accepted, refused = [{"type": "websocket.accept"}], [{"type": "websocket.close", "code": 1008}]
    here = {"Host": "127.0.0.1:8080", "Origin": "http://127.0.0.1:8080"}
    assert websocket(None, here) == accepted
    assert websocket(None, {**here, "Origin": "http://evil.example"}) == refused
    assert websocket(None, {**here, "Host": "evil.example", "Origin": "http://evil.example"}) == refused
    assert websocket(TOKEN, here) == refused
    assert websocket(TOKEN, {**here, "Cookie": f"{COOKIE}={TOKEN}"}) == accepted
    assert websocket(TOKEN, {**here, "Cookie": f"{COOKIE}={TOKEN}", "Origin": "http://evil.example"}) == refused


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Cookie": ";;=;\x01"},
    ],
)
def test_without_the_token_nothing_is_told(guarded: FastAPI, headers: dict[str, Any]) -> None:
    for method, path in (
        ("POST", "/api/predict"),
        ("GET", "/api/runs"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/x"),
    ):
        answer = ask(guarded, method, path, headers=headers)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    assert ask(guarded, "GET", "/healthz", headers=headers).status_code == 200


def test_with_the_token_any_host_name_will_do(guarded: FastAPI) -> None:
    for headers in (
        {"Authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer {TOKEN}"},
        {"Cookie": f"a=b; {COOKIE}={TOKEN}"},
    ):
        answer = ask(guarded, "POST", "/api/predict", headers={**headers, "Host": "lab.example:8080"}, **QUESTION)
        assert answer.status_code == 200


def test_a_browser_trades_the_token_in_its_address_for_a_cookie(guarded: FastAPI) -> None:
    answer = ask(guarded, "GET", f"/compare?token={TOKEN}&sort=accuracy")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/compare?sort=accuracy"
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ask(guarded, "GET", "/api/runs", headers={"Cookie": cookie.split(";")[0]}).status_code == 200
    assert ask(guarded, "GET", "/?token=wrong").status_code == 401
    assert ask(guarded, "POST", f"/api/predict?token={TOKEN}", **QUESTION).status_code == 401
    assert ask(guarded, "GET", f"{ADDRESS}//evil.example/?token={TOKEN}").headers["Location"] == "/evil.example/"


@pytest.mark.parametrize("path", ["/api/runs", "/api/nothing", "/docs", "/openapi.json", "/healthz"])
def test_every_answer_has_its_headers(app: FastAPI, path: str) -> None:
    headers = ask(app, "GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "server" not in headers


def test_refusals_have_headers_too(app: FastAPI) -> None:
    answer = ask(app, "GET", "/", headers={"Host": "evil.example"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "lab.example", ""])
def test_an_address_that_others_reach_demands_a_token(host: str) -> None:
    with pytest.raises(
        ConfigError, match=r"host must be 127.0.0.1 where there is no token.*secrets.token_urlsafe"
    ) as caught:
        check_token(host, None)
    assert "\n" not in str(caught.value)
    check_token(host, TOKEN)


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 15, "with a space in the middle", "ünïcödé-and-more-of-it", "a;b=c;d=e;f=g;h=i"]
)
def test_a_token_that_is_easily_guessed_or_cannot_be_sent_is_refused(token: str) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(ConfigError, match="token must be at least 16 letters"):
            check_token(host, token)


def test_loopback_is_told_from_the_rest() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.1", "localhost.evil.example", "")))


def test_a_taken_port_and_a_foreign_address_get_one_line() -> None:
    taken = listen("127.0.0.1", 0)
    with taken, pytest.raises(ConfigError, match=r"port must be free, got 127.0.0.1:\d+ \(Address already in use\)"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(ConfigError, match="port must be between 0 and 65535"):
        listen("127.0.0.1", 65536)
    with pytest.raises(ConfigError, match="host must be an address of this machine, got 'no such host'"):
        listen("no such host", 0)
