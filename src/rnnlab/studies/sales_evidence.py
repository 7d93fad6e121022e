"""The outcomes of the `sales` jobs under the names by which tables and claims ask for them. No sentences here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from rnnlab.data import Series
from rnnlab.runs import Run
from rnnlab.studies.figures import median
from rnnlab.studies.jobs import Outcome

CELLS = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}
Measured = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """One recurrent variant: what was measured of its seeds, one by one and together."""

    cell: str
    preparation: str
    runs: list[Measured]
    together: Measured
    forecast: np.ndarray
    validation_forecast: np.ndarray
    ridge: Measured
    ridge_forecast: np.ndarray
    ridge_validation_forecast: np.ndarray
    trained: tuple[Run, ...]

    @property
    def sound(self) -> list[Measured]:
        """The runs that did not diverge."""
        return [run for run in self.runs if run["status"] != "diverged"]


@dataclass(frozen=True)
class Evidence:
    """All outcomes of a study.

    Args:
        scale: the size's numbers.
        series: the data.
        windows: those that fit the series.
        outcomes: a job's name to what it brought back.
    """

    scale: Measured
    series: Series
    windows: tuple[int, ...]
    outcomes: Mapping[str, Outcome]

    @property
    def starts(self) -> Measured:
        """The count of networks before training."""
        return self.outcomes["starts"].measured

    def start(self, cell: str) -> Measured:
        """Return that count for a cell at the largest window."""
        return next(r for r in self.starts["rows"] if r["cell"] == cell and r["window"] == self.windows[-1])

    @property
    def baselines(self) -> list[Measured]:
        """The forecasts without a network."""
        return cast(list[Measured], self.outcomes["baselines"].measured["baselines"])

    def baseline(self, name: str) -> Measured:
        """Return one of them by name."""
        return next(one for one in self.baselines if one["name"] == name)

    def simplest(self) -> Measured:
        """Return the best baseline that fits nothing."""
        return min((one for one in self.baselines if one["name"] != "ridge"), key=lambda one: one["mae"])

    @property
    def held_out(self) -> list[int]:
        """Positions of the held-out values in the series."""
        return cast(list[int], self.outcomes["baselines"].measured["held_out"])

    def published(self, window: int | None = None, cell: str = "lstm") -> Measured:
        """Return what was measured of a published network; at the largest window where None."""
        return self.outcomes[f"published-{cell}-{window or self.windows[-1]}"].measured

    def mended(self) -> Measured:
        """Return the published network with its target mended."""
        return self.outcomes[f"mended-lstm-{self.windows[-1]}"].measured

    def all_published(self) -> list[tuple[str, Measured, tuple[Run, ...]]]:
        """Return title, measurements and runs of every published variant."""
        last = self.windows[-1]
        named = [(f"LSTM, window {window}", f"published-lstm-{window}") for window in self.windows]
        named += [
            (f"RNN, window {last}", f"published-elman-{last}"),
            (f"LSTM, window {last}, nothing skipped", f"mended-lstm-{last}"),
        ]
        return [(title, self.outcomes[name].measured, self.outcomes[name].runs) for title, name in named]

    @cached_property
    def networks(self) -> list[Network]:
        """The recurrent variants, those on the values themselves first."""
        order = {"steps-elman": 0, "steps-lstm": 1, "steps-gru": 2}
        names = [name for name in self.outcomes if name.startswith(("steps-", "recipe-"))]
        return [_network(self.outcomes[name]) for name in sorted(names, key=lambda name: (order.get(name, 3), name))]

    @cached_property
    def best(self) -> Network:
        """The variant with the lowest error of its seeds' mean on the validation part."""
        truth = self._chosen_on()
        return min(self.networks, key=lambda one: float(np.abs(one.validation_forecast - truth).mean()))

    @cached_property
    def weights(self) -> list[tuple[str, float]]:
        """The weight of every variant in the sum of all, fitted on the validation part; none is negative."""
        titles = [f"{CELLS[one.cell]} on {one.preparation}" for one in self.networks]
        found = self._fitted([one.validation_forecast for one in self.networks])
        return list(zip(titles, found.tolist(), strict=True))

    @cached_property
    def stacked(self) -> Measured:
        """The weighted sum of all variants on the held-out part: ``forecast, mae, rmse, mase``."""
        return self._sum([one.forecast for one in self.networks], np.array([weight for _, weight in self.weights]))

    @cached_property
    def stacked_ridge(self) -> Measured:
        """The same sum of ridge regressions on the same inputs: what the networks add to it is what recurrence adds."""
        kinds = list({one.preparation: one for one in self.networks}.values())
        weights = self._fitted([one.ridge_validation_forecast for one in kinds])
        return self._sum([one.ridge_forecast for one in kinds], weights)

    def _fitted(self, forecasts: Sequence[np.ndarray]) -> np.ndarray:
        """Return a weight a forecast, from the validation part; one for the best, where that part is too short to fit them."""
        from scipy.optimize import nnls  # late, as scikit-learn: workers alone need it

        truth, parts = self._chosen_on(), np.column_stack(forecasts)
        unit = float(np.abs(truth).mean()) or 1.0
        found = np.asarray(nnls(parts / unit, truth / unit)[0])
        if len(truth) < 4 * len(forecasts) or not found.any():
            found = np.zeros(len(forecasts))
            found[np.abs(parts - truth[:, None]).mean(axis=0).argmin()] = 1.0
        return found

    def _sum(self, forecasts: Sequence[np.ndarray], weights: np.ndarray) -> Measured:
        forecast = np.column_stack(forecasts) @ weights
        error = forecast - self.series.values[self.held_out]
        mae, unit = float(np.abs(error).mean()), self.outcomes["baselines"].measured["seasonal_error"]
        return {"forecast": forecast, "mae": mae, "rmse": float(np.sqrt((error**2).mean())), "mase": mae / unit}

    def times(self, positions: Iterable[int]) -> list[str]:
        """Return times of the series as ISO strings."""
        return [str(time) for time in self.series.times[list(positions)]]

    def points(self, positions: Sequence[int]) -> list[tuple[str, float]]:
        """Return times and values of the series."""
        return list(zip(self.times(positions), self.series.values[list(positions)].tolist(), strict=True))

    def _chosen_on(self) -> np.ndarray:
        positions: list[int] = self.outcomes["baselines"].measured["chosen_on"]
        return np.asarray(self.series.values[positions])


def live(measured: Measured) -> list[Measured]:
    """Return the runs of a published variant that are neither dead nor diverged."""
    return [run for run in measured["runs"] if not run["stuck"] and run["status"] != "diverged"]


def typical(measured: Measured, metric: str = "mae") -> float | None:
    """Return the median of a metric over the live runs."""
    return median(run[metric] for run in live(measured))


def _network(outcome: Outcome) -> Network:
    seen = outcome.measured
    arrays = ("forecast", "validation_forecast", "ridge_forecast", "ridge_validation_forecast")
    return Network(
        cell=seen["cell"],
        preparation=seen["preparation"],
        runs=seen["runs"],
        together=seen["together"],
        ridge=seen["ridge"],
        trained=outcome.runs,
        **{name: np.array(seen[name]) for name in arrays},
    )
