"""Small pictures: what is in them is what was given, and text stays text."""

import base64
import io
import re

import numpy as np
import pytest

from rnnlab.results import Table
from rnnlab.web.page.drawing import bars, heat, marked, percent

HOSTILE = "<script>alert(1)</script>\"'&"


def test_bars_show_every_label_in_its_order_and_mark_the_largest() -> None:
    drawn = bars(["a", "b", "c"], np.array([0.2, 0.7, 0.1]))
    assert re.findall(r'scope="row">(\w)', drawn) == ["a", "b", "c"]
    assert re.search(r'class="best"><th scope="row">b', drawn)
    assert re.findall(r"--share:([\d.]+)", drawn) == ["0.2000", "0.7000", "0.1000"]


def test_many_labels_leave_the_largest_and_say_what_is_left() -> None:
    shares = np.array([0.5, *[0.5 / 50] * 50])
    drawn = bars([f"l{i}" for i in range(51)], shares, most=11)
    assert drawn.count("<tr") == 12
    assert "40 others" in drawn
    assert percent(0.4) in drawn


@pytest.mark.parametrize(
    "drawn", [bars([HOSTILE], np.ones(1)), marked([HOSTILE], np.ones(1)), heat(np.ones((1, 1)), [HOSTILE], HOSTILE)]
)
def test_text_is_never_markup(drawn: str) -> None:
    assert "<script" not in drawn
    assert "alert(1)" in drawn


def test_characters_are_tinted_by_sign_and_size() -> None:
    drawn = marked("ab", np.array([0.4, -0.2]))
    assert re.findall(r'li class="(\w+)" style="--share:([\d.]+)', drawn) == [("for", "1.000"), ("against", "0.500")]
    assert "+40" in drawn
    assert "−20" in drawn


def test_the_heat_map_is_a_pixel_a_value() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow reads the picture back")
    values = np.array([[1.0, -0.5, 0.0], [0.25, -1.0, 0.5]])
    light = re.search(r'only-light" alt="[^"]*" src="data:image/png;base64,([^"]+)', heat(values, ["a", "b"], "words"))
    assert light is not None
    pixels = np.asarray(image.open(io.BytesIO(base64.b64decode(light[1]))))
    assert pixels.shape == (2, 3, 4)
    np.testing.assert_allclose(pixels[..., 3] / 255, np.abs(values), atol=0.003)
    blue, orange = pixels[0, 0, :3].astype(int), pixels[0, 1, :3].astype(int)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_the_csv_reads_back() -> None:
    pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')
    import csv

    from rnnlab.web.page.numbers import as_csv, as_html

    table = Table("t", HOSTILE, ("a", "b"), ((0.1 + 0.2, HOSTILE), (None, "=1+1")))
    rows = list(csv.reader(io.StringIO(as_csv(table))))
    assert rows[0] == ["a", "b"]
    assert float(rows[1][0]) == 0.1 + 0.2
    assert rows[1][1] == HOSTILE
    assert rows[2] == ["", "'=1+1"]
    assert "<script" not in as_html(table)
