"""*Compare it* in a real browser: sort, filter, overlay, press a cell of the confusion matrix and of a sweep's map."""

from pathlib import Path
from typing import Any

import pytest

from rnnlab.runs import load
from rnnlab.web.page.behind import behind
from rnnlab.web.page.confusion import Confusion, confuse

from .browser import looking

pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(scope="module")
def confusion(page_folder: Path) -> Confusion:
    run = load(page_folder / "names")
    return confuse(run, behind(run, page_folder / "names").task)


def names_of(tab: Any) -> list[str]:
    return tab.locator("table.runs tbody a").all_inner_texts()


def test_sorts_filters_and_overlays(chromium: Any, page: str, tmp_path: Path) -> None:
    with looking(chromium, f"{page}/compare") as tab:
        tab.locator("table.runs").wait_for()
        rising = names_of(tab)
        tab.locator("table.runs").get_by_role("button", name="run").click()
        tab.locator("th[aria-sort=descending]").wait_for()
        assert names_of(tab) == rising[::-1]
        assert tab.evaluate("document.activeElement.dataset.sort") == "0"
        tab.get_by_label("Filter").fill("sales lstm")
        tab.get_by_text("1 of 6 runs").wait_for()
        tab.get_by_label("Filter").fill("")
        tab.get_by_text("6 of 6 runs").wait_for()
        tab.get_by_label("Overlay the curves of sales-a").check()
        tab.get_by_label("Overlay the curves of sales-b").check()
        tab.get_by_text("Loss of sales-a, sales-b.").wait_for()
        tab.locator("figure svg").wait_for()
        with tab.expect_download() as download:
            tab.locator("figure").get_by_role("button", name="CSV").click()
        rows = Path(download.value.path()).read_text().splitlines()
        assert rows[0] == "x,y,series"
        assert len(rows) == 1 + 2 * 8
        tab.screenshot(path=tmp_path / "compare.png", full_page=True)


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}], ids=["wide", "phone", "dark"])
def test_a_cell_opens_the_names_behind_it(
    chromium: Any, page: str, confusion: Confusion, options: Any, tmp_path: Path
) -> None:
    truth, guess, count = next(confusion.worst())
    with looking(chromium, f"{page}/compare", **options) as tab:
        tab.get_by_label("Run", exact=True).click()
        tab.get_by_role("option", name="names").click()
        cell = tab.locator(f"[data-cell='{truth * len(confusion.labels) + guess}']")
        cell.wait_for()
        assert f"{count} of" in cell.get_attribute("aria-label")
        cell.focus()
        tab.keyboard.press("Enter")
        tab.locator(".opened table").wait_for()
        shown = tab.locator(".opened table tbody tr td:first-child").all_inner_texts()
        assert shown == [row[0] for row in confusion.behind(truth, guess).rows]
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.evaluate("window.innerWidth")
        tab.screenshot(path=tmp_path / "confusion.png", full_page=True)


def test_a_cell_of_a_sweeps_map_opens_its_runs(chromium: Any, page: str, tmp_path: Path) -> None:
    with looking(chromium, f"{page}/compare") as tab:
        part = tab.locator("section", has=tab.get_by_text("Sensitivity of names"))
        part.get_by_role("button", name="8 units, rate 0.1:").click()
        part.get_by_text("2 runs of gru with 8 units").wait_for()
        part.get_by_role("link", name="Try sweep-runs-best").wait_for()
        tab.screenshot(path=tmp_path / "map.png", full_page=True)
        part.get_by_role("button", name="16 units, rate 0.01:").click()
        part.get_by_text("none was kept").wait_for()


def test_claims_are_shown_and_chosen_by_verdict(chromium: Any, page: str) -> None:
    with looking(chromium, f"{page}/compare") as tab:
        tab.get_by_text("It <b>learns</b>.").wait_for()
        tab.get_by_label("Verdict").click()
        tab.get_by_role("option", name="reproduced").click()
        tab.get_by_text("It <b>learns</b>.").wait_for(state="detached")
        assert tab.locator("table.claims tbody tr").count() == 1
