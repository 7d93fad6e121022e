"""The service over real sockets: slow, silent, rude and many clients; starting and stopping."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn", reason='needs pip install "rnnlab[web]"')

from tests.web.sample import write_run
from tests.web.serving import Served, memory, serving, wait_until

from rnnlab.cli import main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
QUESTION = {"run": "strings", "input": "ax1"}


@pytest.fixture(scope="module")
def folder(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(runs, tmp_path_factory.mktemp("served") / "runs"))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as found:
        yield found
        assert found.process.poll() is None, "the service has ended"
        said = found.stop()
        assert "Traceback" not in said, said


@pytest.fixture(autouse=True)
def still_up(served: Served) -> Iterator[None]:
    """After each test, the service answers as before."""
    yield
    assert served.process.poll() is None
    assert answers(served)


def answers(served: Served) -> bool:
    """Return whether the service answers a prediction."""
    found = httpx.post(f"{served.address}/api/predict", json=QUESTION, timeout=30)
    return found.status_code == 200 and found.json()["predictions"][0]["prediction"] in "AB"


def connect(served: Served, content: bytes = b"") -> socket.socket:
    """Return a connection on which ``content`` has been sent."""
    found = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    found.sendall(content)
    return found


def read(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes, and close."""
    found = b""
    with connection, suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


def words(answer: bytes) -> str:
    """Return the status and the error of a raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return f"{head.split()[1].decode()} {json.loads(body)['error']}"


def head(length: int, path: str = "/api/predict", extra: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


def test_binary_rubbish_is_answered(served: Served) -> None:
    assert words(read(connect(served, os.urandom(300).replace(b"\n", b"") + b"\r\n\r\n"))).startswith(
        "400 request must be HTTP/1.1"
    )
    assert words(read(connect(served, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))).startswith(
        "400 request must be HTTP/1.1"
    )
    body = os.urandom(5000)
    assert words(read(connect(served, head(len(body), extra="Connection: close\r\n") + body))).startswith(
        "422 body must be JSON"
    )


def test_a_hundred_megabytes_are_refused_and_not_held(served: Served) -> None:
    before = memory(served.process.pid)
    content = b" " * 2**20
    with connect(served, head(100 * 2**20)) as connection:
        for _ in range(100):
            connection.sendall(content)
        assert words(read(connection)).startswith("413 body must be at most 1,048,576 bytes, got 104,857,600")
    chunk = b"100000\r\n" + content + b"\r\n"
    with connect(
        served, b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ) as connection:
        for _ in range(20):
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")
        assert words(read(connection)).startswith("413 body must be at most 1,048,576 bytes")
    assert memory(served.process.pid) < before + 20


def test_who_asks_whether_to_go_on_is_told_not_to(served: Served) -> None:
    with connect(served, head(100 * 2**20, extra="Expect: 100-continue\r\n")) as connection:
        assert words(read(connection)).startswith("413 ")


def test_a_body_that_stops_coming_is_given_up(served: Served) -> None:
    began = time.monotonic()
    with connect(served, head(100) + b'{"run": ') as connection:
        assert words(read(connection)) == "408 body must come without pauses, got one of 1 s; send it again"
    assert time.monotonic() - began < 20


def test_a_head_that_stops_coming_is_given_up(served: Served) -> None:
    with connect(served, b"GET /healthz HTTP/1.1\r\nHost: 127.") as connection:
        assert words(read(connection)) == "408 head must come within 1 s, got a part of it; send it again"
    with connect(served) as connection:
        assert read(connection) == b""


def test_a_head_that_drips_is_given_up(served: Served) -> None:
    """Slowloris: a byte now and then keeps no connection."""
    began = time.monotonic()
    with connect(served, b"GET /healthz HTTP/1.1\r\n") as connection:
        connection.settimeout(0.1)
        while time.monotonic() < began + 25:
            try:
                connection.sendall(b"a")
                if connection.recv(100):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - began < 20


def test_a_head_without_end_is_refused(served: Served) -> None:
    with connect(served, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ") as connection:
        try:
            for _ in range(100):
                connection.sendall(b"x" * 65536)
        except OSError:
            pass
        found = read(connection)
    assert not found or words(found).startswith("431 head must be at most 65,536 bytes")
    with connect(served, b"GET /api/runs/" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as connection:
        assert words(read(connection)).startswith("431 head must be at most 65,536 bytes")


def test_who_does_not_read_the_answer_is_cut(served: Served) -> None:
    """Answers that nobody reads are held for a while, and not for ever."""
    question = json.dumps({"run": "strings", "inputs": ["a"] * 1000}).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", served.port))
        # Whole requests, whose answers are more than all buffers between the two hold.
        for _ in range(120):
            connection.sendall(head(len(question)) + question)
        assert connected(served, connection)
        wait_until(lambda: not connected(served, connection))


def connected(served: Served, connection: socket.socket) -> bool:
    """Return whether the service still has its end of a connection, as the kernel tells it."""
    ends = f":{served.port:04X}", f":{connection.getsockname()[1]:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(ends[0]) and row[2].endswith(ends[1]) and row[3] == "01" for row in rows)


def open_files(served: Served) -> int:
    """Return how many files and sockets the service has open."""
    return len(os.listdir(f"/proc/{served.process.pid}/fd"))


def test_silent_sockets_keep_nobody_out(served: Served) -> None:
    silent = [connect(served) for _ in range(200)]  # five times as many as there is room for
    try:
        for _ in range(5):
            assert answers(served)
        assert open_files(served) < 40 + 40
    finally:
        for one in silent:
            one.close()


def test_busy_connections_are_not_cut_for_new_ones(served: Served) -> None:
    content = json.dumps(QUESTION).encode()
    busy = [connect(served, head(len(content)) + content[:-1]) for _ in range(40)]
    try:
        with connect(served, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as connection:
            found = read(connection)
            assert words(found).startswith("503 connections must be fewer")
            assert b"Retry-After: 1\r\n" in found
        for one in busy:
            one.sendall(content[-1:])
            assert one.recv(65536).startswith(b"HTTP/1.1 200 OK")
    finally:
        for one in busy:
            one.close()


def test_a_run_is_deleted_and_comes_back_under_many_clients(served: Served, folder: Path) -> None:
    seen: set[int] = set()
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=served.address) as client:
            while not over.is_set():
                answer = client.post("/api/predict", json={"run": "moving", "input": "ax"})
                seen.add(answer.status_code)
                assert list(answer.json()) == (["predictions"] if answer.status_code == 200 else ["error"])

    write_run("strings", folder / "moving")
    clients = [threading.Thread(target=ask) for _ in range(4)]
    for one in clients:
        one.start()
    for _ in range(4):
        wait_until(lambda: 200 in seen)
        (folder / "moving").rename(folder / ".away")
        wait_until(lambda: 410 in seen)
        (folder / ".away").rename(folder / "moving")
        seen.clear()
    over.set()
    for one in clients:
        one.join(20)
    shutil.rmtree(folder / "moving")
    assert seen <= {200, 410}


def test_ctrl_c_ends_it_cleanly_with_connections_open(runs: Path) -> None:
    with serving("serve", runs / "strings", "--port", 0, module="rnnlab") as found:
        assert httpx.post(f"{found.address}/api/predict", json={"input": "ax"}).status_code == 200
        with (
            connect(found, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as kept,
            connect(found, head(100) + b"{"),
        ):
            assert kept.recv(100).startswith(b"HTTP/1.1 200")
            began = time.monotonic()
            assert found.stop() == "rnnlab: stopped\n"
            assert found.process.returncode == 130
            assert time.monotonic() - began < 40


def serve(*arguments: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the verb, which is expected to refuse."""
    command = [sys.executable, "-m", "rnnlab", "serve", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )


def test_bad_starts_get_one_line(
    runs: Path, tmp_path: Path, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    for arguments, message in (
        (["--port", str(served.port)], "port must be free, got 127.0.0.1"),
        (["--host", "0.0.0.0"], "host must be 127.0.0.1 where there is no token, got 0.0.0.0; make one with python -c"),
        (["--token", "short"], "token must be at least 16 letters"),
        ([str(tmp_path / "none"), "--port", "0"], "none must be a run folder, got nothing"),
        (["--folder", str(tmp_path / "file"), "--port", "0"], "must be a folder of runs, got a file"),
    ):
        assert main(["serve", *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert serve("--port", served.port).returncode == 2


def test_without_the_extra_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rnnlab.cli.serve.find_spec", lambda name: None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "rnnlab: web must be installed, got no fastapi; run pip install 'rnnlab[web]'\n"


def test_a_token_in_the_environment_opens_an_address_to_others(runs: Path) -> None:
    """Bound to all addresses, and asked at this machine's own."""
    with serving(
        "serve", "--folder", runs, "--host", "0.0.0.0", "--port", 0, module="rnnlab", RNNLAB_TOKEN="t" * 20
    ) as found:
        address = f"http://127.0.0.1:{found.port}"
        assert httpx.get(f"{address}/api/runs").status_code == 401
        answer = httpx.get(f"{address}/api/runs", headers={"Authorization": "Bearer " + "t" * 20})
        assert answer.status_code == 200
        assert len(answer.json()["runs"]) == 3
        assert found.stop(signal.SIGTERM) == "rnnlab: stopped\n"
        assert found.process.returncode == 130
