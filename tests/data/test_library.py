"""The built-in data are what their provenance says, and the scripts that build them end in the same bytes."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlab.data import binary, memorise, names, read_names, read_series, sales
from rnnlab.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
BUILTIN = ROOT / "src" / "rnnlab" / "data" / "builtin"


def test_names_are_distinct_pairs_of_18_origins_without_residue() -> None:
    source = names()
    pairs = set(zip(source.texts, source.labels))
    assert len(pairs) == len(source) == 17_986
    assert len(source.classes) == 18
    assert {source.classes[0], source.classes[-1]} == {"Arabic", "Vietnamese"}
    for text in source.texts:
        assert text == " ".join(text.split())
        assert not text.endswith(",")
        assert text not in ("First", "To The First Page", "Names")
        assert re.fullmatch(r"[A-Za-z' -]+", text)


def test_sales_have_every_day_and_closed_days_are_zero() -> None:
    series = sales()
    assert series.season == 7
    assert (np.diff(series.times) == np.timedelta64(1, "D")).all()
    assert str(series.times[0]) == "2009-12-01"
    assert str(series.times[-1]) == "2011-12-08"
    closed = series.known["open"] == 0
    assert (series.values[closed] == 0).all()
    assert (series.values[~closed] > 0).all()
    saturdays = (series.times.astype(int) + 3) % 7 == 5
    assert (~closed & saturdays).sum() == 1


@pytest.mark.parametrize("column", ["revenue", "units", "orders"])
def test_countries_add_up_to_less_than_all(column: str) -> None:
    whole, kingdom, eire = sales(column), sales(column, "United Kingdom"), sales(column, "EIRE")
    assert (kingdom.values + eire.values <= whole.values + 1e-6).all()
    assert kingdom.values.sum() > 0.8 * whole.values.sum()


def test_units_and_orders_are_whole_numbers() -> None:
    for column in ("units", "orders"):
        values = sales(column).values
        assert (values == values.round()).all()


def test_readers_give_the_built_in_data_back() -> None:
    assert read_names(BUILTIN / "names.csv").fingerprint == names().fingerprint
    read = read_series(BUILTIN / "sales.csv", value="revenue")
    assert np.array_equal(read.values, sales().values)
    assert np.array_equal(read.times, sales().times)


def test_unknown_column_and_country_are_named() -> None:
    with pytest.raises(
        ConfigError, match=r"column must be one of orders, revenue, units \(nearest: units\), got 'unit'"
    ):
        sales("unit")
    with pytest.raises(ConfigError, match=r"country must be one of .*nearest: France.*, got 'france'"):
        sales(country="france")


@pytest.mark.parametrize("layout", ["steps", "features"])
def test_binary_reads_most_significant_bit_first(layout: str) -> None:
    source = binary(layout)  # type: ignore[arg-type]
    weights = 2 ** np.arange(7, -1, -1)
    assert [int(bits.ravel() @ weights) for bits in source.values] == list(range(256))
    assert source.values[0].shape == ((8, 1) if layout == "steps" else (1, 8))
    assert np.array_equal(source.targets, np.arange(256))
    assert source.kind == "regress"


def test_binary_refuses_another_layout() -> None:
    with pytest.raises(ConfigError, match=r"layout must be one of features, steps .*, got 'step'"):
        binary("step")  # type: ignore[arg-type]


def test_memorise_has_the_targets_that_fit_the_printed_losses() -> None:
    source = memorise()
    targets = np.asarray(source.targets, dtype=np.float64)
    assert np.mean((1 - targets) ** 2) == pytest.approx(5 / 27, abs=1e-6)  # outputs saturated at +1
    assert np.mean((-1 - targets) ** 2) == pytest.approx(77 / 27, abs=1e-6)  # outputs saturated at -1


def test_committed_files_have_the_stated_sha256() -> None:
    stated = (BUILTIN / "PROVENANCE.md").read_text(encoding="utf-8")
    for name in ("names.csv", "sales.csv", "sales_by_country.csv"):
        digest = hashlib.sha256((BUILTIN / name).read_bytes()).hexdigest()
        assert re.search(rf"`{name}`.*`{digest}`", stated)


def test_built_in_data_are_small() -> None:
    assert sum(file.stat().st_size for file in BUILTIN.iterdir()) < 1_000_000


def test_names_script_cleans_and_leaves_out_ranked_rows() -> None:
    rows = [
        "rank,surname,nationality",
        "1.0,de Vries,Dutch",
        ',"Lytkin,",Russian',
        ",To The First  Page,Russian",
        ",An,Vietnamese",
        ",an,Vietnamese",
        ",Rai,Nepalese",
    ]
    code = "import sys; sys.path.insert(0, sys.argv[1]); import build_names as b; print(b.build(sys.argv[2].encode()))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "scripts"), "\n".join(rows)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["name,origin", "Lytkin,Russian", "An,Vietnamese"]


def test_sales_script_undoes_cancelled_orders() -> None:
    rows = [
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
        "1,85048,LIGHTS,12,12/1/2009 7:45,2.00,7.0,France",
        "2,85048,LIGHTS,10,12/2/2009 7:45,3.00,7.0,France",
        "2,POST,POSTAGE,1,12/2/2009 7:45,18.00,7.0,France",
        "C3,85048,LIGHTS,-11,12/4/2009 7:45,3.00,7.0,France",
        "A4,B,Adjust bad debt,1,12/4/2009 7:45,-100.00,,France",
        "5,21000,WRITE-OFF,-4,12/4/2009 7:45,0,,France",
    ]
    code = (
        "import sys, lzma; sys.path.insert(0, sys.argv[1]); import build_sales as b; from datetime import date; "
        "b.LAST_DAY = date(2009, 12, 4); print(b.build(lzma.compress(sys.argv[2].encode()))['sales.csv'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "scripts"), "\n".join(rows)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "date,revenue,units,orders,open",
        "2009-12-01,22.00,11,1,1",
        "2009-12-02,0.00,0,0,1",
        "2009-12-03,0.00,0,0,0",
        "2009-12-04,0.00,0,0,1",
    ]
