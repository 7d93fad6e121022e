"""Intervals that go on adapting: adaptive conformal inference (Gibbs and Candès, 2021), from the state that training left.

After a miss an interval widens, after a hit it narrows, each step ahead by itself; a forecast h steps ahead is heard of h steps
later. Training adapts over the test part (`rnnlab.training.intervals`). Whoever asks a run later, with rows that have come since,
lets it hear of them first: every forecast that could have been made from the end of the training's data on, and has come true.
This module knows a run's network and codec, and draws nothing: the same rows give the same intervals.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnlab.data.calendar import show_time
from rnnlab.data.source import Series
from rnnlab.models import Model
from rnnlab.runs.outputs import model_outputs
from rnnlab.tasks import SeriesCodec
from rnnlab.tasks.rolling import rolling

RATE = 0.02
LARGEST_POOL = 20_000
# A rate of 0.02 has forgotten after some hundred moments, and very many series say what 250 say.
MOST_ORIGINS, MOST_SERIES = 400, 250


@dataclass(frozen=True, eq=False)
class State:
    """What adapting has arrived at.

    Args:
        alpha: ``(horizon,)``, the share that is let outside.
        errors: ``(pool, horizon)``, the newest errors in the network's units, oldest first.
    """

    alpha: np.ndarray
    errors: np.ndarray

    @classmethod
    def begin(cls, calibration: np.ndarray, level: float) -> Self:
        """Return the state before anything was heard.

        Args:
            calibration: ``(examples, horizon)``, errors to begin with; the newest `LARGEST_POOL` are kept.
            level: wanted share of values within.
        """
        return cls(np.full(calibration.shape[1], 1 - level), calibration[-LARGEST_POOL:])

    @property
    def widths(self) -> np.ndarray:
        """What to widen each step ahead by, ``(horizon,)``, in the network's units."""
        return np.array([_width(pool, alpha) for pool, alpha in zip(self.errors.T, self.alpha, strict=True)])


def adapt(
    state: State, errors: np.ndarray, clock: np.ndarray, level: float, rate: float = RATE
) -> tuple[State, np.ndarray]:
    """Return the state after ``errors`` were heard, and which of them an interval held, ``(examples, horizon)`` bool.

    Args:
        state: before.
        errors: ``(examples, horizon)`` of what comes after, in the network's units; NaN where nothing is known.
        clock: ``(examples,)``, the moment of each one's first value, whole numbers; equal for series at the same time.
        level: wanted share of values within.
        rate: how fast it adapts, gamma of Gibbs and Candès.

    Example:
        >>> errors = np.abs(np.random.default_rng(0).normal(size=(600, 1))) * np.linspace(1, 3, 600)[:, None]
        >>> fixed = float((errors[100:] <= np.quantile(errors[:100], 0.9)).mean())
        >>> after, held = adapt(State.begin(errors[:100], 0.9), errors[100:], np.arange(500), 0.9)
        >>> round(fixed, 2), round(float(held.mean()), 2)
        (0.62, 0.9)
    """
    order = np.argsort(clock, kind="stable")
    alpha, pool, held = state.alpha.copy(), state.errors.copy(), np.zeros(errors.shape, dtype=bool)
    for ahead in range(errors.shape[1]):
        rows = order[np.isfinite(errors[order, ahead])]
        alpha[ahead], pool[:, ahead], held[rows, ahead] = _adapt_one(
            float(alpha[ahead]), pool[:, ahead], errors[rows, ahead], clock[rows], (level, rate, ahead)
        )
    return State(alpha, pool), held


def _adapt_one(
    alpha: float, pool: np.ndarray, errors: np.ndarray, clock: np.ndarray, how: tuple[float, float, int]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return share and errors of one step ahead after ``errors``, in the order of their ``clock``, and which were held."""
    level, rate, ahead = how
    moments, first = np.unique(clock, return_index=True)
    ends = np.append(first[1:], len(errors))
    every, used, heard = np.concatenate([pool, errors]), np.zeros(len(moments)), 0
    width = _width(pool, alpha)

    def hear(alpha: float) -> float:
        missed = float((errors[first[heard] : ends[heard]] > used[heard]).mean())
        return alpha + rate * (1 - level - missed)

    for now, moment in enumerate(moments):
        before = heard
        while heard < now and moments[heard] + ahead < moment:
            alpha = hear(alpha)
            heard += 1
        if heard > before:
            width = _width(every[ends[heard - 1] :][: len(pool)], alpha)
        used[now] = width
    while heard < len(moments):
        alpha = hear(alpha)
        heard += 1
    return alpha, every[len(errors) :], errors <= np.repeat(used, ends - first)


def _width(pool: np.ndarray, alpha: float) -> float:
    """Return the width that missed a share ``alpha`` of ``pool``; the largest where nothing may be missed."""
    return float(np.quantile(pool, min(1.0, max(0.0, 1 - alpha)), method="higher"))


@dataclass(frozen=True)
class Adapted:
    """What the intervals have heard of since the training.

    Args:
        interval: as of `rnnlab.runs.record.IntervalRecord`, after it.
        errors: ``(pool, horizon)`` float64, the newest errors, after it.
        level: of the intervals.
        origins: how many forecasts they adapted on: one a series and moment, of which a value at least is known.
        held: the share of their values that the intervals held as they adapted; None where there was none.
        held_unadapted: the share that they would have held as they were before.
        until: the time of the last value heard of; None where there was none.
    """

    interval: dict[str, Any]
    errors: np.ndarray | None
    level: float
    origins: int = 0
    held: float | None = None
    held_unadapted: float | None = None
    until: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what is told of it, as JSON types."""
        shares = {"held": self.held, "held_unadapted": self.held_unadapted}
        return {"level": self.level, "origins": self.origins, **shares, "until": self.until}


class Adapting:
    """The newest errors of a run's forecasts; show it series, one after the other, then ask for the `result`.

    Args:
        codec: of the run.
        model: its network.
        interval: its ``data["interval"]``.
        errors: ``(pool, horizon)``, its newest errors; None where it was saved without: nothing adapts then.
    """

    def __init__(self, codec: SeriesCodec, model: Model, interval: dict[str, Any], errors: np.ndarray | None) -> None:
        self._codec, self._model, self._interval, self._errors = codec, model, interval, errors
        self._state: dict[str, Any] = interval.get("adaptive") or {}
        self._found: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def able(self) -> bool:
        """Whether the run has what adapting goes on from, and another series may be shown."""
        return self._errors is not None and self._state.get("end") is not None and len(self._found) < MOST_SERIES

    def see(self, series: Series) -> None:
        """Measure the forecasts of ``series`` that came true after the run's data ended; of `MOST_SERIES` series, no more."""
        if not self.able:
            return
        found = rolling(self._codec, series, np.datetime64(self._state["end"]), MOST_ORIGINS)
        if len(found.times):
            steps = self._codec.by_step(model_outputs(self._model, found.inputs)[0])
            errors = np.maximum(steps[..., 0] - found.truth, found.truth - steps[..., -1])
            known = np.isfinite(errors).any(axis=1)
            self._found.append((found.times[known].astype("datetime64[us]"), errors[known]))

    def result(self) -> Adapted:
        """Return the intervals after all that was seen."""
        level = float(self._interval["level"])
        nothing = Adapted(self._interval, self._errors, level)
        if self._errors is None or not any(len(errors) for _, errors in self._found):
            return nothing
        times, errors = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        clock = np.unique(times, return_inverse=True)[1].reshape(-1)
        before = State(np.array(self._state["alpha"], dtype=np.float64), self._errors)
        after, held = adapt(before, errors, clock, level, float(self._state["rate"]))
        unit = 1.0 if self._interval.get("scaled") else self._codec.scale
        until = show_time(times.max())
        state = self._state | {
            "half_width": (unit * after.widths).tolist(), "alpha": after.alpha.tolist(), "end": until,
        }  # fmt: skip
        known = np.isfinite(errors)
        share, unadapted = (float(one[known].mean()) for one in (held, errors <= before.widths))
        return Adapted(self._interval | {"adaptive": state}, after.errors, level, len(errors), share, unadapted, until)


def adapted(adapting: Adapting, series: Iterable[Any]) -> Adapted:
    """Return the intervals after ``series``, as far as those have times."""
    for one in series:
        if not adapting.able:
            break
        if isinstance(one, Series):
            adapting.see(one)
    return adapting.result()
