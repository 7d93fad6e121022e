"""What a sweep found: a row a run, the map over rate and size, the best rate of every size with its interval.

Everything is worked out from the rows, so that a sweep that was broken off has a result too. Choices are made on the
validation part; the test part is only told.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rnnlab.display import Displayed
from rnnlab.runs.catalogue import HIGHER_IS_BETTER
from rnnlab.runs.files import finite
from rnnlab.sweeps.stack_work import Row, best_setting

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Place:
    """One place of the map: a cell, a size and a learning rate (of other options the best), over its seeds.

    ``score`` is the mean on the validation part of the seeds that held; ``diverged`` and ``dropped`` are shares of the runs.
    """

    cell: str
    hidden_size: int
    lr: float
    score: float | None
    diverged: float
    dropped: float
    runs: int


@dataclass(frozen=True)
class BestRate:
    """The best learning rate of a cell at a size; ``low`` and ``high`` hold 95% of those that other seeds would have chosen."""

    cell: str
    hidden_size: int
    parameters: int
    lr: float
    low: float | None
    high: float | None
    score: float


@dataclass(frozen=True)
class Sweep(Displayed):
    """A sweep, done or broken off.

    Args:
        task: a short name of the data.
        kind: ``classify``, ``regress`` or ``forecast``.
        metric: that choices are made by, on the validation part.
        axes: names of the options that differ.
        rows: one a run that is done.
        planned: runs that were asked for.
        reused: of the rows, those that were done before.
        seconds: that it took now.
        settings: as asked.
        data: sizes of the parts, provenance, fingerprint.
    """

    task: str
    kind: str
    metric: str
    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    planned: int
    reused: int = 0
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every run is done."""
        return len(self.rows) >= self.planned

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger score is a better one."""
        return self.metric in HIGHER_IS_BETTER

    @cached_property
    def best(self) -> tuple[Row, ...]:
        """The runs of the best setting, one a seed; empty where all diverged."""
        return self.best_of(self.rows)

    def best_of(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """Return the runs of the best setting among ``rows``."""
        chosen = best_setting(rows, self.metric)
        return tuple(row for row in rows if tuple(row.setting.values()) == chosen)

    @cached_property
    def map(self) -> tuple[Place, ...]:
        """The map: cells, sizes and rates in rising order. Many drawn rates or sizes are put into steps."""
        rates, sizes = self._steps("lr", 2 / math.log2(10)), self._steps("hidden_size", 1.0)
        places: dict[tuple[str, int, float], list[Row]] = {}
        for row in self.rows:
            key = row.setting["cell"], int(sizes[row.setting["hidden_size"]]), rates[row.setting["lr"]]
            places.setdefault(key, []).append(row)
        order = list(dict.fromkeys(row.setting["cell"] for row in self.rows))
        keys = sorted(places, key=lambda key: (order.index(key[0]), *key[1:]))
        return tuple(self._place(*key, places[key]) for key in keys)

    @cached_property
    def best_rates(self) -> tuple[BestRate, ...]:
        """The best learning rate of every cell and size, by size; those at which all diverged are left out."""
        groups: dict[tuple[str, int], list[Row]] = {}
        for row in self.rows:
            groups.setdefault((row.setting["cell"], row.setting["hidden_size"]), []).append(row)
        found = (self._best_rate(*key, groups[key]) for key in sorted(groups))
        return tuple(one for one in found if one is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        found = {
            "task": self.task, "kind": self.kind, "metric": self.metric, "higher_is_better": self.higher_is_better,
            "complete": self.complete, "planned": self.planned, "done": len(self.rows), "reused": self.reused,
            "seconds": self.seconds, "axes": list(self.axes), "best": [asdict(row) for row in self.best],
            "best_rates": [asdict(one) for one in self.best_rates], "map": [asdict(place) for place in self.map],
            "notes": list(notes(self)), "settings": self.settings, "data": self.data, "rows": [asdict(row) for row in self.rows],
        }  # fmt: skip
        return dict(finite(found))

    def table(self) -> list[dict[str, Any]]:
        """Return a flat record a run, ready for a data frame: options, seed, status and ``PART_METRIC``."""
        return [
            {**row.setting, "seed": row.seed, "parameters": row.parameters, "status": row.status, "steps": row.steps,
             "seconds": row.seconds}
            | {f"{part}_{name}": value for part, metrics in row.metrics.items() for name, value in metrics.items()}
            for row in self.rows
        ]  # fmt: skip

    def csv(self) -> str:
        """Return `table` as CSV."""
        records = self.table()
        names = list(dict.fromkeys(name for record in records for name in record))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()

    def _steps(self, name: str, a_doubling: float) -> dict[Any, float]:
        """Return where on the map each value of an option stands: at itself; or, drawn from a range, at a step of a scale.

        Args:
            name: of the option.
            a_doubling: steps of the scale a factor of two.
        """
        values = {row.setting[name] for row in self.rows}
        if not isinstance(self.settings.get("axes", {}).get(name), str):
            return {value: value for value in values}
        return {value: float(f"{2 ** (round(math.log2(value) * a_doubling) / a_doubling):.2g}") for value in values}

    def _place(self, cell: str, size: int, rate: float, rows: Sequence[Row]) -> Place:
        scores = [score for row in self.best_of(rows) if (score := row.score(self.metric)) is not None]
        mean = sum(scores) / len(scores) if scores else None
        diverged, dropped = (
            sum(row.status == status for row in rows) / len(rows) for status in ("diverged", "dropped")
        )
        return Place(cell, size, rate, mean, diverged, dropped, len(rows))

    def _best_rate(self, cell: str, size: int, rows: Sequence[Row]) -> BestRate | None:
        chosen = self.best_of(rows)
        if not chosen:
            return None
        rate = float(chosen[0].setting["lr"])
        low, high = _interval(rows, self.metric, self.higher_is_better) or (None, None)
        score = next(_mean(self.best_of(rows), self.metric))
        return BestRate(cell, size, chosen[0].parameters, rate, low, high, score)


def notes(sweep: Sweep) -> Iterator[str]:
    """Yield what a reader has to know: what diverged, what was dropped, which best rates stand at an end of their axis."""
    for status, said in (("diverged", "diverged"), ("dropped", "were dropped for better ones")):
        count = sum(row.status == status for row in sweep.rows)
        if count:
            yield f"{count} of {len(sweep.rows)} runs {said}."
    rates = sweep.settings.get("axes", {}).get("lr", [])
    listed = not isinstance(rates, str) and len(rates) > 1
    edge = [one for one in sweep.best_rates if listed and one.lr in (min(rates), max(rates))]
    if edge:
        shown = ", ".join(f"{one.cell} {one.hidden_size} ({one.lr:g})" for one in edge[:6])
        yield f"The best rate is at an end of the axis for {shown}: a wider one (--lr) may suit better."


def _mean(rows: Sequence[Row], metric: str) -> Iterator[float]:
    scores = [score for row in rows if (score := row.score(metric)) is not None]
    yield sum(scores) / len(scores)


def _interval(rows: Sequence[Row], metric: str, higher: bool) -> tuple[float, float] | None:
    """Return the rates between which 95% of the best ones lie when the seeds are drawn again (bootstrap); None with one seed."""
    settings: dict[tuple[Any, ...], dict[int, float]] = {}
    worst = -math.inf if higher else math.inf
    for row in rows:
        if row.status != "dropped":
            score = row.score(metric)
            settings.setdefault(tuple(row.setting.values()), {})[row.seed] = worst if score is None else score
    seeds = sorted({seed for found in settings.values() for seed in found})
    if len(seeds) < 2 or not settings:
        return None
    names = list(rows[0].setting)
    rates = np.array([setting[names.index("lr")] for setting in settings])
    scores = np.array([[found.get(seed, worst) for seed in seeds] for found in settings.values()])
    draws = np.random.default_rng(0).integers(len(seeds), size=(RESAMPLES, len(seeds)))
    means = (scores if higher else -scores)[:, draws].mean(axis=2)
    chosen = rates[means.argmax(axis=0)][np.isfinite(means.max(axis=0))]
    if not len(chosen):
        return None
    ends = np.quantile(chosen, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
    return float(ends[0]), float(ends[1])
