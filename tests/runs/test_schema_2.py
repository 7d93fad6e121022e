"""A folder that the second schema wrote (kept beside this file) loads and answers as it did then; its intervals stay as they were."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rnnlab.runs import load
from rnnlab.runs.reading import from_file
from rnnlab.training.verification import Verifying

FOLDER = Path(__file__).parent / "schema_2"


def write_shops(path: Path, days: int, future: int) -> None:
    """Write two shops by rule, as those that the run was trained on."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["shop", "day", "sales", "promo", "visits"])
        for level, shop in ((1.0, "a"), (100.0, "b")):
            for day in range(days + future):
                promo, visits = int(day * 7 % 5 == 0), level * 10 + day * 13 % 17
                value = round(level * (3 + promo + (day % 7) / 7) + visits / 10, 4)
                known = [value, promo, visits] if day < days else ["", promo, ""]
                rows.writerow([shop, np.datetime64("2024-01-01") + day, *known])


@pytest.mark.parametrize("days", [90, 140])
def test_it_answers_as_it_did(tmp_path: Path, days: int) -> None:
    """Old runs kept no errors to adapt on: rows that are newer do not move their intervals."""
    run = load(FOLDER)
    assert (run.status, run.newest_errors) == ("done", None)
    write_shops(tmp_path / "next.csv", days, 2)
    with from_file(run, tmp_path / "next.csv") as asked:
        (batch,) = asked
        found = asked.run.predict(batch.raw)
    assert asked.adapted is not None
    assert asked.adapted.origins == 0
    if days == 90:
        then = json.loads((FOLDER / "answers.json").read_text())["predictions"]
        for key in ("prediction", "lower", "upper"):
            now = [value for answer in found for value in answer[key]]
            np.testing.assert_allclose(now, [one[key] for one in then], rtol=1e-4)


def test_it_is_trained_again_to_the_same_figures(tmp_path: Path) -> None:
    """Its visits were scaled over both shops together, and are so again."""
    write_shops(tmp_path / "shops.csv", 90, 0)
    verifying = Verifying(FOLDER, data=str(tmp_path / "shops.csv"))
    for _ in verifying:
        pass
    again, run = verifying.training.runs()[0], load(FOLDER)
    assert again.codec.covariate_scale == pytest.approx(run.codec.covariate_scale)
    for part, metrics in run.metrics.items():
        assert again.metrics[part] == pytest.approx(metrics, rel=1e-3)
