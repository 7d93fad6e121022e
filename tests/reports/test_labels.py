"""Labels of rows are whole in a browser, also where it draws wider letters than the picture was measured in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.web.browser import browser

from rnnlab.reports.charts import NARROW, WIDE, drawn
from rnnlab.results import Figure

TITLES = ("linear model of last, mean, lowest, highest", "ridge on 28 lags", "character n-grams", "7 steps back", "GRU")
LEFT = """() => {
    const picture = document.querySelector('svg').getBoundingClientRect();
    const texts = [...document.querySelectorAll('svg text')].filter(text => text.textContent.trim());
    return Math.min(...texts.map(text => text.getBoundingClientRect().left - picture.left));
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("kind", ["bars", "strip"])
def test_no_label_is_cut_at_the_left(chromium: Any, kind: str, width: int, tmp_path: Path) -> None:
    records = tuple({"label": title, "value": 1.0 + at, "reference": at < 3} for at, title in enumerate(TITLES))
    figure = Figure("a", kind, "Scores", "", "cell" if kind == "strip" else "", "MAE", records)
    page = tmp_path / "page.html"
    # Spaced letters stand for a wider font, whichever fonts are here.
    page.write_text(f"<style>svg text {{ letter-spacing: .6px }}</style>{drawn(figure, width=width)}")
    tab = chromium.new_page(viewport={"width": width + 40, "height": 700})
    tab.goto(page.as_uri())
    assert tab.evaluate(LEFT) >= 0
    tab.close()
