"""The files that the lab's users have, where they are at hand (RNNLAB_SHARED, or ``../shared`` beside the checkout)."""

import os
from pathlib import Path

import pytest

from rnnlab.data import read_names, read_series, split_strings

SHARED = Path(os.environ.get("RNNLAB_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the lab's own files are not here; set RNNLAB_SHARED")


def test_names_of_the_lab_lose_their_copies() -> None:
    source = read_names(SHARED / "names18")
    assert (len(source), len(set(source.texts)), len(source.classes)) == (18_012, 17_450, 18)
    assert sum(label == "Arabic" for label in source.labels) == 108
    assert not any(text != text.strip() for text in source.texts)
    split = split_strings(source.texts, source.labels)
    assert not {source.texts[i] for i in split.train} & {source.texts[i] for i in split.test}


def test_store_sales_give_the_mean_series() -> None:
    series = read_series(SHARED / "store_item_demand" / "mean_sales_daily.csv")
    assert (len(series), series.season, series.values[0]) == (1826, 7, 27.392)
    mean = read_series(SHARED / "store_item_demand" / "store_mean_daily_long.csv")
    assert mean.values == pytest.approx(series.values, abs=0.01)


def test_closed_days_of_the_grocery_are_said_and_filled() -> None:
    path = SHARED / "pasta_sales" / "total_pasta_daily.csv"
    with pytest.raises(ValueError, match="must have every day, got none between 2014-04-19 and 2014-04-21"):
        read_series(path, value="sales")
    assert len(read_series(path, value="sales", fill="zero")) == 1825
