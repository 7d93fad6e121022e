"""*Watch it* in a real browser: train, stop, go on; a file of one's own, a bad file, a crash."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnlab.data import sales
from rnnlab.runs.folder import read_record
from rnnlab.studies.lab import STUDIES

from .browser import looking, page_over
from .sample import write_names
from .serving import serving

pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
LONG = 90_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with page_over(folder) as found:
        yield found


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return write_names(tmp_path / "names.csv", "name,origin")


def own(tab: Any) -> Any:
    return tab.locator("section", has=tab.get_by_text("Train on a file of your own"))


def upload(tab: Any, path: Path) -> None:
    tab.locator("input[type=file]").set_input_files(path)


def test_a_bad_file_is_answered_in_words(chromium: Any, page: str, page_folder: Path, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.csv"
    rubbish.write_bytes(bytes(range(256)) * 40)
    program = tmp_path / "virus.exe"
    program.write_bytes(b"MZ" * 100)
    with looking(chromium, f"{page}/watch") as tab:
        upload(tab, rubbish)
        tab.get_by_text("must be UTF-8 text").wait_for()
        assert str(page_folder) not in tab.content()
        upload(tab, program)
        tab.get_by_text("file must be a table").wait_for()
        assert own(tab).get_by_role("button", name="Train", exact=True).count() == 0
        tab.screenshot(path=tmp_path / "bad.png", full_page=True)
        assert not [path for path in (page_folder / ".uploads").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_full_disk_is_answered_in_words(chromium: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_text("text,label\n" + "some text,a\nother text,b\n" * 20_000)
    with serving(tmp_path / "runs", 100_000, module="tests.web.small_disk") as served:
        context = chromium.new_context()
        tab = context.new_page()
        tab.goto(f"{served.address}/watch")
        upload(tab, large)
        tab.locator(".wrong").wait_for()
        words = tab.locator(".wrong").inner_text()
        assert "large.csv cannot be kept" in words or "no room for it" in words
        tab.screenshot(path=tmp_path / "full.png", full_page=True)
        context.close()
    assert not list((tmp_path / "runs").rglob("*.csv*"))


def test_guessed_columns_are_shown_and_checked_as_they_change(
    chromium: Any, page: str, names: Path, tmp_path: Path
) -> None:
    with looking(chromium, f"{page}/watch", **PHONE) as tab:
        upload(tab, names)
        tab.get_by_text("name to read, origin to tell").wait_for()
        tab.get_by_text("strings of").wait_for()
        assert tab.get_by_label("target", exact=True).input_value() == "origin"
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.evaluate("window.innerWidth")
        own(tab).get_by_text("Model options").click()
        field = own(tab).get_by_label("hidden size", exact=True)
        field.wait_for()
        width = field.evaluate("field => field.closest('.fields').offsetWidth")
        assert width > 0.9 * own(tab).evaluate("part => part.offsetWidth")
        tab.get_by_text("More about the columns").click()
        tab.get_by_label("steps", exact=True).fill("t*")
        tab.get_by_text("steps must not go with text").wait_for()
        assert own(tab).get_by_role("button", name="Train", exact=True).is_disabled()
        tab.screenshot(path=tmp_path / "guessed.png", full_page=True)


def begin(tab: Any, names: Path, **options: str) -> Path:
    """Upload, set options of the training, press Train; return the name of the run."""
    upload(tab, names)
    part = own(tab)
    part.get_by_role("button", name="Train", exact=True).wait_for()
    part.get_by_text("Training options").click()
    for name, value in {"hidden size": None, **options}.items():
        if value is not None:
            part.get_by_label(name, exact=True).fill(value)
    part.get_by_text("Model options").click()
    part.get_by_label("hidden size", exact=True).fill("4")
    tab.wait_for_timeout(300)
    start(tab, part.get_by_role("button", name="Train", exact=True))


def start(tab: Any, button: Any) -> None:
    """Press ``button``, and wait until the job that it starts is the one shown: the last one's may still stand there."""
    before = tab.locator(".job h2").all_inner_texts()
    button.click()
    tab.wait_for_function(
        "before => { const now = document.querySelector('.job h2'); return now && now.innerText !== before; }",
        arg=before[0] if before else "",
    )


def until(condition: Any, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.slow
def test_train_stop_and_go_on(chromium: Any, address: str, folder: Path, names: Path, tmp_path: Path) -> None:
    with looking(chromium, f"{address}/watch") as tab:
        begin(tab, names, epochs=str(LONG))
        tab.locator(".job figure svg").first.wait_for(timeout=LONG)
        first = tab.locator(".job figure svg").first.inner_html()
        tab.wait_for_function(
            "before => document.querySelector('.job figure svg').innerHTML !== before", arg=first, timeout=LONG
        )
        assert "epoch" in tab.locator(".job [role=status]").inner_text()
        tab.screenshot(path=tmp_path / "training.png", full_page=True)
        # The page is there for others while it trains (how quickly: benchmarks/page.py).
        with looking(chromium, address) as other:
            other.get_by_role("heading", name="Try it").wait_for()
        tab.get_by_role("button", name="Stop").click()
        tab.get_by_text("Stopped; it can be gone on with.").wait_for(timeout=LONG)
        [run] = [path.parent for path in folder.glob("*/run.json")]
        assert read_record(run).status == "interrupted"
        before = len((run / "history.jsonl").read_text().splitlines())
        tab.screenshot(path=tmp_path / "stopped.png", full_page=True)
        tab.locator(".job").get_by_role("button", name="Go on").click()
        tab.get_by_text("Training: epoch").wait_for(timeout=LONG)
        until(lambda: len((run / "history.jsonl").read_text().splitlines()) > before + 5)
        # Somebody pulls the plug of the training alone.
        pids = [int(pid) for pid in os.listdir("/proc") if pid.isdecimal() and f"--resume={run}" in _command(pid)]
        assert len(pids) == 1
        os.kill(pids[0], signal.SIGKILL)
        tab.get_by_text("SIGKILL").wait_for(timeout=LONG)
        tab.screenshot(path=tmp_path / "crashed.png", full_page=True)
        steps = [json.loads(line)["step"] for line in (run / "history.jsonl").read_text().splitlines()]
        assert steps == sorted(set(steps))


@pytest.mark.slow
def test_findings_of_the_doctor_are_shown_before_the_end(
    chromium: Any, address: str, folder: Path, names: Path, tmp_path: Path
) -> None:
    texts = [line.partition(",")[0] for line in names.read_text().splitlines()[1:]]
    rare = tmp_path / "rare.csv"
    rows = [f"{text},{'rare' if at % 16 == 0 else 'usual'}" for at, text in enumerate(texts)]
    rare.write_text("\n".join(["name,origin", *rows]) + "\n")
    with looking(chromium, f"{address}/watch") as tab:
        begin(tab, rare, epochs=str(LONG))
        found = tab.locator(".job .findings li", has_text="rare classes are not told")
        found.wait_for(timeout=LONG)
        assert tab.get_by_role("button", name="Stop").is_visible()
        record = read_record(folder / "rare-gru")
        assert (record.status, record.data["name"]) == ("training", "rare")
        tab.locator(".job figure svg").first.wait_for(timeout=LONG)
        tab.screenshot(path=tmp_path / "findings.png", full_page=True)
        tab.get_by_role("button", name="Stop").click()
        tab.get_by_text("Stopped; it can be gone on with.").wait_for(timeout=LONG)
        assert found.is_visible()


def _command(pid: str) -> list[str]:
    try:
        return Path("/proc", pid, "cmdline").read_bytes().decode().split("\0")
    except (OSError, UnicodeDecodeError):
        return []


@pytest.mark.slow
def test_the_result_is_a_run_that_can_be_tried(chromium: Any, address: str, names: Path, tmp_path: Path) -> None:
    with looking(chromium, f"{address}/watch") as tab:
        begin(tab, names, epochs="3")
        tab.get_by_text("Done.").wait_for(timeout=LONG)
        tab.get_by_role("cell", name="character n-grams").wait_for()
        tab.screenshot(path=tmp_path / "done.png", full_page=True)
        tab.get_by_role("link", name="Try names").click()
        tab.get_by_label("Type a text").fill("Rossi")
        tab.locator("ol.marked").wait_for()


@pytest.mark.slow
def test_a_study_is_run_from_the_page(chromium: Any, address: str, folder: Path, tmp_path: Path) -> None:
    with looking(chromium, f"{address}/watch") as tab:
        tab.get_by_label("Study").click()
        tab.get_by_role("option", name="Learning").or_(tab.get_by_role("option").nth(1)).first.click()
        start(tab, tab.get_by_role("button", name="Run the study"))
        tab.locator(".job figure svg").first.wait_for(timeout=2 * LONG)
        tab.get_by_text("Done.").wait_for(timeout=2 * LONG)
        tab.screenshot(path=tmp_path / "study.png", full_page=True)
        assert list(folder.glob("*/claims.json"))
        tab.goto(f"{address}/compare")
        tab.get_by_text("Claims of the lab report").wait_for()


def study_of(tab: Any, title: str) -> Any:
    """Choose a study that takes a file; return its part of the page."""
    part = tab.locator("section", has=tab.get_by_role("heading", name="Run a study of the lab"))
    part.get_by_label("Study").click()
    tab.get_by_role("option", name=title).click()
    part.locator("input[type=file]").wait_for(state="attached")
    return part


@pytest.mark.slow
def test_a_study_runs_on_a_file_of_ones_own(
    chromium: Any, address: str, folder: Path, names: Path, tmp_path: Path
) -> None:
    with looking(chromium, f"{address}/watch") as tab:
        part = study_of(tab, STUDIES["names"].title)
        part.locator("input[type=file]").set_input_files(names)
        part.get_by_text("200 strings of").wait_for()
        tab.screenshot(path=tmp_path / "own.png", full_page=True)
        start(tab, part.get_by_role("button", name="Run the study"))
        tab.locator(".job").get_by_text("Done.").wait_for(timeout=3 * LONG)
        tab.screenshot(path=tmp_path / "done.png", full_page=True)
    assert read_record(folder / "lab-names" / "names" / "runs" / "gru-16").data["examples"] == 200


def test_a_file_that_a_study_cannot_use_is_said_in_words(
    chromium: Any, page: str, page_folder: Path, tmp_path: Path
) -> None:
    rubbish, short, shops = (tmp_path / name for name in ("rubbish.csv", "short.csv", "shops.csv"))
    rubbish.write_bytes(bytes(range(256)) * 40)
    short.write_text("time,value\n2024-01-01,3\n2024-01-02,4\n")
    rows = [f"{day},{store},{day.astype(int) % 7 + store}" for day in sales().times[:60] for store in (1, 2)]
    shops.write_text("\n".join(["date,store,sales", *rows]) + "\n")
    with looking(chromium, f"{page}/watch") as tab:
        part = study_of(tab, STUDIES["sales"].title)
        go = part.get_by_role("button", name="Run the study")
        part.locator("input[type=file]").set_input_files(rubbish)
        part.get_by_text("must be UTF-8 text").wait_for()
        assert go.is_enabled(), "the built-in data are still there"
        part.locator("input[type=file]").set_input_files(short)
        part.get_by_text("short.csv must have").or_(part.get_by_text("must have at least")).first.wait_for()
        tab.wait_for_function("document.querySelectorAll('section .go[disabled]').length > 0")
        assert str(page_folder) not in tab.content()
        tab.screenshot(path=tmp_path / "short.png", full_page=True)
        part.locator("input[type=file]").set_input_files(shops)
        part.get_by_text("A series of 60 values").wait_for()
        part.get_by_label("where", exact=True).fill("store=1,store=3")
        part.locator(".wrong").wait_for()
        part.get_by_label("where", exact=True).fill("store=2")
        part.get_by_text("between 2 and 8").wait_for()
        assert go.is_enabled()


@pytest.mark.slow
def test_a_server_that_stops_saves_what_trains(chromium: Any, names: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with serving("serve", "--folder", folder, "--port", 0, module="rnnlab") as served:
        context = chromium.new_context()
        tab = context.new_page()
        tab.goto(f"{served.address}/watch")
        begin(tab, names, epochs=str(LONG))
        tab.locator(".job figure svg").first.wait_for(timeout=LONG)
        context.close()
        served.stop()
        assert served.process.returncode == 130
    [run] = [path.parent for path in folder.glob("*/run.json")]
    assert read_record(run).status == "interrupted"
    assert not [pid for pid in os.listdir("/proc") if pid.isdecimal() and _command(pid).count(f"--out={run}")]
