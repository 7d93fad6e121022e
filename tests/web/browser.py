"""A browser that looks at the page, and ends with the test. The server is `rnnlab serve`, in a process of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .serving import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def page_over(folder: Path) -> Iterator[str]:
    """Yield the address of the page over the runs in ``folder``."""
    with serving("serve", "--folder", folder, "--port", 0, module="rnnlab") as served:
        yield served.address


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
    context.set_default_timeout(45_000)
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
