"""Forecasts of many series as a stranger meets them: train, predict, compare and verify, from files; bad requests in one line."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rnnlab
from rnnlab.cli import main
from rnnlab.data import Series
from rnnlab.runs import load, save
from rnnlab.runs.reading import from_file
from rnnlab.training.fit import Fit, plan

QUICK = ["--hidden-size", "4", "--max-steps", "4"]
COLUMNS = ["--id", "shop", "--time", "day", "--value", "sales"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str = "shops.csv", days: int = 90, future: int = 0, shops: str = "abc") -> None:
    """Write shops of different level, with a promotion, visitors, and ``future`` days without a value."""
    draw = np.random.default_rng(0)
    with Path(path).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["shop", "day", "sales", "promo", "visits"])
        for level, shop in enumerate(shops):
            for day in range(days + future):
                promo = int(draw.random() < 0.3)
                value = round(10.0**level * (3 + np.sin(day * 2 * np.pi / 7) + 2 * promo + 0.1 * draw.random()), 4)
                time = np.datetime64("2024-01-01") + day
                rows.writerow([shop, time, *([value, promo, 5] if day < days else ["", promo, ""])])


def test_many_series_train_predict_and_verify(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    flags = [*COLUMNS, "--horizon", "3", "--known", "promo", "--calendar"]
    assert main(["train", "shops.csv", *flags, *QUICK, "--out", "run", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in printed["baselines"]} == {"last", "season", "ridge"}
    assert {"mase", "rmsse", "smape", "pinball"} <= set(printed["metrics"]["test"])
    assert printed["baselines"][2]["title"] == "ridge on 21 lags and covariates, a series each"
    assert printed["interval"]["level"] == 0.9
    assert main(["verify", "run"]) == 0
    write("ask.csv", days=60, future=3, shops="cbaz")
    capsys.readouterr()
    assert main(["predict", "run", "--file", "ask.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert [list(one) for one in found] == [["id", "time", "prediction", "lower", "upper"]] * 12
    assert [(one["id"], one["time"]) for one in found[:4]] == [
        ("c", "2024-03-01"), ("c", "2024-03-02"), ("c", "2024-03-03"), ("b", "2024-03-01"),
    ]  # fmt: skip
    assert all(one["lower"] <= one["prediction"] <= one["upper"] for one in found)
    assert main(["predict", "run", "--file", "ask.csv"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines] == [[one["id"], one["time"]] for one in found]
    assert [float(line[2]) for line in lines] == pytest.approx([one["prediction"] for one in found], rel=1e-5)


def test_a_file_gives_what_python_gives(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    assert main(["train", "shops.csv", *COLUMNS, "--known", "promo", "--past", "visits,extra", *QUICK]) == 2
    assert "must have the column 'extra'" in capsys.readouterr().err
    assert main(["train", "shops.csv", *COLUMNS, "--known", "promo", *QUICK, "--out", "run"]) == 0
    write("ask.csv", days=50, future=1)
    capsys.readouterr()
    assert main(["predict", "run", "--file", "ask.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    with Path("ask.csv").open() as file:
        rows = list(csv.DictReader(file))
    asked = []
    for shop in "abc":
        mine = [row for row in rows if row["shop"] == shop]
        values = np.array([float(row["sales"] or "nan") for row in mine])
        known = {"promo": np.array([float(row["promo"]) for row in mine])}
        asked.append(Series(np.array([row["day"] for row in mine], "datetime64[D]"), values, shop, known=known))
    answers = load("run").predict(asked)
    for key in ("prediction", "lower", "upper"):
        assert [one[key] for one in found] == pytest.approx([one[key] for one in answers], rel=1e-5)


def test_a_promotion_that_is_known_changes_the_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    write(days=200)
    flags = [*COLUMNS, "--known", "promo", "--hidden-size", "16", "--epochs", "40", "--lr", "0.02"]
    assert main(["train", "shops.csv", *flags, "--out", "run"]) == 0
    write("ask.csv", days=60, future=1)
    text = Path("ask.csv").read_text()
    found = []
    for promo in (0, 1):
        lines = [
            line if line.split(",")[2] else ",".join([*line.split(",")[:3], str(promo), ""])
            for line in text.splitlines()
        ]
        Path("told.csv").write_text("\n".join(lines))
        capsys.readouterr()
        assert main(["predict", "run", "--file", "told.csv", "--json"]) == 0
        found.append([one["prediction"] for one in json.loads(capsys.readouterr().out)["predictions"]])
    for level, (without, with_it) in enumerate(zip(*found, strict=True)):
        assert with_it - without == pytest.approx(2 * 10.0**level, rel=0.5)


def test_many_series_are_compared_without_units(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    flags = [*COLUMNS, "--known", "promo", "--cells", "gru", "--seeds", "5", "--rates", "0.01", "--max-steps", "6"]
    assert main(["compare", "shops.csv", *flags, "--hidden-size", "4", "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metric"] == "mase"
    assert [one["name"] for one in found["baselines"]] == ["last", "season", "ridge"]
    assert found["against"][0]["examples"] is not None
    low, high = found["against"][0]["examples"]
    assert low <= found["against"][0]["mean"] <= high
    assert "in MASE [" in found["verdicts"][0]
    assert found["verdicts"][-1].startswith("No network beats ")


def test_built_in_sales_by_country_are_many_series(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sales_by_country", "--known", "open", *QUICK, "--out", "run"]) == 0
    assert "7 steps back" in capsys.readouterr().out
    assert len(load("run").codec.names) == 8  # type: ignore[union-attr]
    assert main(["train", "sales", "--known", "opne", *QUICK]) == 2
    assert (
        "known must name covariates of series 'revenue', one of open (nearest: open), got 'opne'"
        in capsys.readouterr().err
    )


BAD: list[tuple[list[str], str]] = [
    (["--known", "sales", *COLUMNS], "'sales' must be named once among the columns, got it twice"),
    (["--past", "promo", "--known", "promo", *COLUMNS], "'promo' must be named once among the columns, got it twice"),
    (["--known", "price", *COLUMNS], "must have the column 'price', got"),
    (["--quantiles", "0.1,1.5", *COLUMNS], "quantiles must be between 0 and 1, got 1.5; write --quantiles"),
    (["--quantiles", "low", *COLUMNS], "quantiles"),
    (["--scaling", "own", *COLUMNS], "scaling must be one of standard, window"),
    (["--context-length", "95", *COLUMNS], "must have at least context_length + horizon = 96 values, got 90 (3 of 3 series"),
    (["--horizon", "89", *COLUMNS], "horizon 89, got 90 times"),
    (["--text", "shop", "--target", "promo", "--known", "visits"], "known and past must go with a series, got 'visits'"),
    (["--text", "shop", "--target", "day", "--calendar"], "calendar must go with a series to forecast, got it with other data"),
    (["--text", "shop", "--target", "day", "--quantiles", "0.5"], "quantiles must go with a series to forecast"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_requests_get_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    assert main(["train", "shops.csv", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["shops.csv"]


def rows_of(days: list[int], values: list[object]) -> str:
    first = np.datetime64("2024-01-01")
    return "".join(f"a,{first + day},{value},1,\n" for day, value in zip(days, values, strict=True))


FORTY = list(range(40))
ASKED: list[tuple[str, str]] = [
    ("z,2024-01-01,5,0,\nz,2024-01-02,5,0,\n", "series 'z' must have at least the last 21 values, got 2; pass more"),
    (
        rows_of(FORTY, FORTY),
        "series 'a' must have 'promo' for its last 21 values and the 1 steps after them, got it for 21",
    ),
    (
        rows_of(FORTY, [*FORTY[:5], "", *FORTY[6:]]),
        "must have sales up to its last one, got none at 2024-01-06; fill it",
    ),
    (rows_of([*FORTY[:-1], 99], FORTY), "must have every day, got none between 2024-02-08 and 2024-04-09"),
    (rows_of(FORTY[::-1], FORTY), "day must rise, got 2024-02-08 after 2024-02-09"),
    (rows_of(FORTY, ["few", *FORTY[1:]]), "sales must be a number, got 'few'"),
]


def test_bad_files_are_named_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    assert main(["train", "shops.csv", *COLUMNS, "--known", "promo", *QUICK, "--out", "run"]) == 0
    for content, message in ASKED:
        Path("ask.csv").write_text("shop,day,sales,promo,visits\n" + content)
        capsys.readouterr()
        assert main(["predict", "run", "--file", "ask.csv"]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert main(["predict", "run", *["1"] * 40]) == 2
    assert "must be a table for a run that reads promo, got bare numbers; pass --file" in capsys.readouterr().err


FLAGS = st.fixed_dictionaries(
    {},
    optional={
        "--id": st.sampled_from(["shop", "day", "nope"]),
        "--time": st.sampled_from(["day", "sales"]),
        "--value": st.sampled_from(["sales", "visits", "shop"]),
        "--known": st.sampled_from(["promo", "promo,visits", "shop", ",", "sales"]),
        "--past": st.sampled_from(["visits", "promo", "day"]),
        "--horizon": st.sampled_from(["1", "5", "60"]),
        "--season": st.sampled_from(["1", "7", "400"]),
        "--quantiles": st.sampled_from(["0.5", "0.1,0.9", "", "2", "0.9,0.1,0.9"]),
        "--scaling": st.sampled_from(["window", "standard"]),
        "--context-length": st.sampled_from(["1", "10", "80"]),
        "--difference": st.sampled_from(["0", "3", "7", "80"]),
        "--test": st.sampled_from(["0.01", "0.5", "0.95"]),
        "--validation": st.sampled_from(["0", "0.3"]),
        "--aggregate": st.sampled_from(["mean", "last"]),
        "--fill": st.sampled_from(["zero", "linear"]),
        "--frequency": st.sampled_from(["day", "week", "year"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flags=FLAGS, switches=st.lists(st.sampled_from(["--calendar", "--log", "--sort"]), unique=True))
def test_any_flags_train_or_get_one_line(flags: dict[str, str], switches: list[str], capsys: Any) -> None:
    import shutil

    shutil.rmtree("run", ignore_errors=True)
    write(days=70)
    words = [f"{name}={value}" for name, value in flags.items()]
    capsys.readouterr()
    code = main(["train", "shops.csv", *words, *switches, "--hidden-size", "2", "--max-steps", "1", "--out", "run"])
    said = capsys.readouterr().err
    if code == 0:
        assert load("run").status in ("done", "diverged")
    else:
        assert code == 2
        assert said.count("\n") == 1
        assert not Path("run").exists()


def test_a_run_of_many_series_goes_on_to_the_same_bits() -> None:
    write()
    options: dict[str, Any] = {
        "id": "shop", "time": "day", "value": "sales", "known": "promo", "past": "visits", "calendar": True, "horizon": 2,
        "hidden_size": 4, "max_steps": 12, "evaluate_every": 5,
    }  # fmt: skip
    whole = rnnlab.train("shops.csv", out="whole", **options)
    fit = Fit(plan("shops.csv", options, ngrams=True), Path("broken"))
    for step in fit:
        if step.step == 7:
            break
    assert fit.finish().status == "interrupted"
    again = rnnlab.resume("broken")
    assert again.weights.tolist() == whole.weights.tolist()
    assert again.metrics == whole.metrics
    for key in ("interval", "series", "baselines"):
        assert again.data[key] == whole.data[key]
    assert {one["name"] for one in whole.data["series"]} == {"a", "b", "c"}


def test_one_series_after_the_other_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is not held whole: the first answers come while later series have not been cut yet."""
    write(shops="abcdefgh")
    run = rnnlab.train("shops.csv", id="shop", time="day", value="sales", hidden_size=2, max_steps=1)
    monkeypatch.setattr("rnnlab.runs.reading.SERIES_BATCH", 2)
    with from_file(run, Path("shops.csv")) as asked:
        batches = iter(asked)
        assert next(batches).ids == ("a", "b")
        assert [batch.ids for batch in batches] == [("c", "d"), ("e", "f"), ("g", "h")]


def without(path: str, days: int) -> None:
    """Write the first ``days`` of every shop of ``shops.csv`` to ``path``."""
    head, *rows = Path("shops.csv").read_text().splitlines()
    last = str(np.datetime64("2024-01-01") + days)
    Path(path).write_text("\n".join([head, *(row for row in rows if row.split(",")[1] < last)]) + "\n")


def test_intervals_go_on_adapting_on_rows_that_are_newer(capsys: pytest.CaptureFixture[str]) -> None:
    """Forecast by forecast, written down anew: what each would have answered then, what came, and the rule of the paper."""
    write(days=150, shops="ab")
    without("early.csv", 100)
    flags = [*COLUMNS, "--horizon", "2", "--known", "promo", "--past", "visits", "--quantiles", "0.1,0.5,0.9"]
    assert main(["train", "early.csv", *flags, *QUICK, "--out", "run"]) == 0
    write(days=150, shops="ab", future=2)
    capsys.readouterr()
    assert main(["predict", "run", "--file", "shops.csv", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    run = load("run")
    about, errors = run.data["interval"], run.newest_errors.numpy().astype(np.float64)  # type: ignore[union-attr]
    assert about["adaptive"]["end"] == "2024-04-09"
    codec, series = run.codec, read("shops.csv", 2)
    pools = [errors[:, ahead].tolist() for ahead in range(2)]
    alphas = list(about["adaptive"]["alpha"])
    misses = {day: [[], []] for day in range(100, 150)}  # type: ignore[var-annotated]
    for one in series:
        for day in range(100, 150):
            values = np.where(np.arange(152) < day, one.values, np.nan)
            then = Series(one.times, values, one.name, 7, known=one.known, past=one.past)
            steps = codec.by_step(run.outputs([then]))[0]  # type: ignore[union-attr]
            level = codec.levels_of(values[None, day - codec.context_length : day], one.name)[0]  # type: ignore[union-attr]
            for ahead in range(2 if day < 149 else 1):
                truth = (one.values[day + ahead] - level[0]) / level[1]
                misses[day][ahead].append(max(steps[ahead, 0] - truth, truth - steps[ahead, -1]))
    held = []
    for ahead in range(2):
        used: dict[int, float] = {}
        for day in range(100, 152 + ahead):
            heard = day - 1 - ahead
            if heard in misses and misses[heard][ahead]:
                missed = np.mean(np.array(misses[heard][ahead]) > used[heard])
                alphas[ahead] += 0.02 * (1 - 0.8 - missed)
                pools[ahead] = (pools[ahead] + misses[heard][ahead])[-len(errors) :]
            used[day] = float(np.quantile(pools[ahead], min(1, max(0, 1 - alphas[ahead])), method="higher"))
            held += [one <= used[day] for one in misses.get(day, [[], []])[ahead]]
    widths = [used_width(pool, alpha) for pool, alpha in zip(pools, alphas, strict=True)]
    assert said["intervals"]["origins"] == 100
    assert said["intervals"]["until"] == "2024-05-29"
    assert said["intervals"]["held"] == pytest.approx(np.mean(held))
    adaptive = about["adaptive"] | {"half_width": widths}
    expected = replace(run, data=run.data | {"interval": about | {"adaptive": adaptive}}, newest_errors=None).predict(
        series
    )
    for row, answer in enumerate(expected):
        for key in ("prediction", "lower", "upper"):
            assert [one[key] for one in said["predictions"][2 * row : 2 * row + 2]] == pytest.approx(
                answer[key], rel=1e-4
            )
    again = run.predict(series)
    assert again[0]["lower"] == pytest.approx(expected[0]["lower"], rel=1e-4)
    assert run.predict(series) == again
    assert main(["predict", "run", "--file", "shops.csv"]) == 0
    assert (
        "intervals adapted on 100 forecasts that came true up to 2024-05-29; 80% intervals held"
        in capsys.readouterr().err
    )


def used_width(pool: list[float], alpha: float) -> float:
    return float(np.quantile(pool, min(1, max(0, 1 - alpha)), method="higher"))


def read(path: str, shops: int) -> list[Series]:
    with Path(path).open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for shop in sorted({row["shop"] for row in rows})[:shops]:
        mine = [row for row in rows if row["shop"] == shop]
        columns = {name: np.array([float(row[name] or "nan") for row in mine]) for name in ("sales", "promo", "visits")}
        times = np.array([row["day"] for row in mine], "datetime64[D]")
        past = {"visits": columns["visits"]}
        found.append(Series(times, columns["sales"], shop, 7, known={"promo": columns["promo"]}, past=past))
    return found


def test_the_training_file_itself_has_nothing_newer(capsys: pytest.CaptureFixture[str]) -> None:
    write(shops="ab")
    assert main(["train", "shops.csv", *COLUMNS, *QUICK, "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["predict", "run", "--file", "shops.csv", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["intervals"] == {
        "level": 0.9, "origins": 0, "held": None, "held_unadapted": None, "until": None,
    }  # fmt: skip
    assert printed.err == ""


def test_drift_after_the_training_widens_the_interval(capsys: pytest.CaptureFixture[str]) -> None:
    """A single series in its own units; a frame gets what a file gets, and rows of text before the end change nothing."""
    draw = np.random.default_rng(0)
    times = np.datetime64("2024-01-01") + np.arange(400)
    values = 50 + draw.normal(size=400) * np.where(np.arange(400) < 250, 1.0, 4.0)
    lines = [f"{time},{value:.6f}" for time, value in zip(times, values, strict=True)]
    for path, rows in (("early.csv", lines[:250]), ("all.csv", lines), ("end.csv", lines[-200:])):
        Path(path).write_text("\n".join(["day,sales", *rows]) + "\n")
    assert main(["train", "early.csv", "--time", "day", "--value", "sales", *QUICK, "--out", "run"]) == 0
    capsys.readouterr()
    found = {}
    for path in ("all.csv", "end.csv"):
        assert main(["predict", "run", "--file", path, "--json"]) == 0
        found[path] = json.loads(capsys.readouterr().out)
    assert found["all.csv"] == found["end.csv"]
    about, (answer,) = found["all.csv"]["intervals"], found["all.csv"]["predictions"]
    assert about["origins"] == 150
    assert about["held_unadapted"] < 0.6
    assert about["held"] > about["held_unadapted"] + 0.15
    before = load("run").data["interval"]["adaptive"]["half_width"][0]
    assert answer["upper"] - answer["prediction"] > 2 * before
    (bare,) = load("run").predict([values])
    assert bare["upper"] - bare["prediction"] == pytest.approx(before)
    (framed,) = rnnlab.predict("run", pandas.read_csv("all.csv"))
    assert framed["upper"] == pytest.approx(answer["upper"])


def test_what_is_wrong_with_a_file_that_is_asked_about_can_be_mended_by_flags(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run on one shop; each message names a flag of predict, and with it the answer is that of a file that was whole."""
    write(days=60)
    head, *rows = Path("shops.csv").read_text().splitlines()
    mine = [row for row in rows if row.startswith("b,")]
    base = ["--time", "day", "--value", "sales"]
    assert main(["train", "shops.csv", *base, "--where", "shop=b", *QUICK, "--out", "run"]) == 0
    Path("one.csv").write_text("\n".join([head, *mine]))
    run = load("run")
    del run.data["config"]["where"]
    save(run, Path("free"))
    capsys.readouterr()
    assert main(["predict", "free", "--file", "one.csv"]) == 0
    whole = capsys.readouterr().out
    cases: list[tuple[list[str], str, list[str]]] = [
        (rows, "pass --where shop=..., or --aggregate mean", ["--where", "shop=b"]),
        (mine[::-1], "day must rise", ["--sort"]),
        ([*mine, mine[-1]], "pass --aggregate mean", ["--aggregate", "last"]),
        ([mine[0], *mine[2:]], "pass --fill zero, previous or linear", ["--fill", "linear"]),
    ]
    for content, message, flags in cases:
        Path("ask.csv").write_text("\n".join([head, *content]))
        assert main(["predict", "free", "--file", "ask.csv"]) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert said.out == ""
        assert main(["predict", "free", "--file", "ask.csv", *flags]) == 0
        assert capsys.readouterr().out == whole
