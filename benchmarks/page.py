"""`page`: a key answered, a page usable, and what watching costs a training, on ``rnnlab serve`` and a real browser.

The run is an LSTM of 128 units on the built-in names. A key is timed where the server answers it (the network, what carried the
answer, the pictures) and in the browser (from the key to the new words). A training is timed on the command line and under
*Watch it* with the page open, in turns; what is compared is its own clock and the CPU seconds of its process.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

import rnnlab
from rnnlab.data import library
from rnnlab.runs import load
from rnnlab.runs.answers import prepare
from rnnlab.runs.folder import read_record

GOALS = {"key_ms": 50, "usable_s": 2, "training_slower": 0.05}
OPTIONS = {"cell": "lstm", "hidden_size": 64, "epochs": 4}


def run(rounds: int = 3) -> dict[str, Any]:
    """Measure all of it; without a Chromium and playwright, what can be measured without."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "names-lstm"
        rnnlab.train("names", cell="lstm", hidden_size=128, max_steps=60, out=place)
        found: dict[str, Any] = {"goals": GOALS, "load_before": os.getloadavg()[0], "key_on_the_server": _keys(place)}
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if chromium is not None:
            found |= _in_a_browser(Path(folder), chromium, rounds)
    return found


def _keys(place: Path) -> dict[str, float]:
    """Time what the server does at a key: read the text, and draw the three pictures."""
    from rnnlab.web.page.drawing import bars, heat, marked
    from rnnlab.web.page.inside import read_text

    asked, taken = prepare(load(place)), []
    for name in library.names().texts[::90]:
        for end in range(1, len(name) + 1):
            began = time.perf_counter()
            reading = read_text(asked, name[:end])
            bars(reading.labels, reading.probabilities)
            marked(reading.symbols, reading.carried)
            heat(reading.states, reading.symbols, "states")
            taken.append(1000 * (time.perf_counter() - began))
    return _spread(taken[20:])


def _in_a_browser(folder: Path, chromium: str, rounds: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    process = subprocess.Popen(
        [sys.executable, "-m", "rnnlab", "serve", "--folder", str(folder), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = process.stderr.readline().split(" at ")[1].split()[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            try:
                return {
                    "usable_s": _usable(browser, address),
                    "key_in_the_browser_ms": _typing(browser, address),
                    "training": _trainings(browser, address, folder, rounds),
                }
            finally:
                browser.close()
    finally:
        process.terminate()
        process.wait(60)


def _usable(browser: Any, address: str) -> dict[str, float]:
    """Time from an empty browser to a page whose field has been answered."""
    taken = []
    for _ in range(10):
        context = browser.new_context()
        tab = context.new_page()
        began = time.perf_counter()
        tab.goto(f"{address}/?run=names-lstm")
        tab.locator("ol.marked").wait_for()
        taken.append(time.perf_counter() - began)
        context.close()
    return _spread(taken)


def _typing(browser: Any, address: str) -> dict[str, float]:
    """Time from a key to the marked characters that follow it, in the browser's own clock."""
    tab = browser.new_page()
    tab.goto(f"{address}/?run=names-lstm")
    tab.locator("ol.marked").wait_for()
    tab.evaluate("""() => { window.taken = []; const place = document.querySelector('ol.marked').parentElement;
      document.addEventListener('keydown', () => { window.began = performance.now(); }, true);
      new MutationObserver(() => { window.taken.push(performance.now() - window.began); }).observe(place, {childList: true}); }""")
    field = tab.get_by_label("Type a text")
    field.focus()
    for letter in "abcdefghijklmnopqrstuvwxyzabcdefghijklmn":
        tab.keyboard.press(letter)
        tab.wait_for_timeout(150)
    taken = tab.evaluate("window.taken")
    tab.close()
    return _spread(taken)


def _trainings(browser: Any, address: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Train in turns on the command line and under the page, and compare."""
    alone, watched = [], []
    for number in range(rounds):
        out = folder / f"alone-{number}"
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
        alone.append(_cost(out, lambda out=out, flags=flags: _command_line(out, flags)))
        watched.append(_cost(folder / f"names-lstm-{number + 2}", lambda: _under_the_page(browser, address)))
    ratios = {
        name: min(one[name] for one in watched) / min(one[name] for one in alone) - 1
        for name in ("seconds", "cpu_seconds")
    }
    return {"command_line": alone, "watched": watched, "slower": ratios}


def _cost(out: Path, train: Callable[[], psutil.Process]) -> dict[str, float]:
    """Return the seconds that the run in ``out`` says it took, and the CPU seconds of its process up to its end."""
    process, used = train(), 0.0
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        try:
            used = sum(process.cpu_times()[:2])
        except psutil.Error:
            break
        time.sleep(0.2)
    return {"seconds": read_record(out).seconds, "cpu_seconds": used}


def _command_line(out: Path, flags: list[str]) -> psutil.Process:
    words = [sys.executable, "-m", "rnnlab", "train", "names", f"--out={out}", "--json", *flags]
    return psutil.Process(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)


def _under_the_page(browser: Any, address: str) -> psutil.Process:
    """Start the training on the page, and leave the page open to watch it."""
    tab = browser.new_page()
    tab.goto(f"{address}/watch")
    part = tab.locator("section", has=tab.get_by_text("Train on built-in data"))
    part.get_by_text("Training options").click()
    part.get_by_label("epochs", exact=True).fill(str(OPTIONS["epochs"]))
    part.get_by_text("Model options").click()
    part.get_by_label("hidden size", exact=True).fill(str(OPTIONS["hidden_size"]))
    part.get_by_label("cell", exact=True).click()
    tab.get_by_role("option", name="lstm", exact=True).click()
    part.get_by_role("button", name="Train", exact=True).click()
    tab.locator(".job").get_by_role("button", name="Stop").wait_for()
    found = [
        one
        for one in psutil.process_iter(["cmdline"])
        if {"rnnlab", "train", "names"} <= set(one.info["cmdline"] or ())
    ]
    return next(one for one in found if any(word.startswith("--out=") for word in one.info["cmdline"]))


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": statistics.median(ordered),
        "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "most": ordered[-1],
        "count": len(ordered),
    }
