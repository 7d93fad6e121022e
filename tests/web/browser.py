"""A server in a process of its own and a browser that looks at it; both end with the test."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Yield the address of the page over the runs in ``folder``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root / "src"), str(root), os.environ.get("PYTHONPATH", "")])
    log = folder.with_name(f"{folder.name}.log")
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.page_server", str(folder), str(port)],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()}")
        with contextlib.suppress(URLError, ConnectionError), urlopen(address, timeout=20):
            return
        time.sleep(0.2)
    pytest.fail("the server did not answer within a minute")


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a headless Chromium."""
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs a Chromium")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def looking(chromium: Any, address: str, **options: Any) -> Iterator[Any]:
    """Yield a tab at ``address``; what the browser complains of fails the test."""
    context = chromium.new_context(**options)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        tab.goto(address)
        yield tab
        assert not complaints
    finally:
        context.close()
