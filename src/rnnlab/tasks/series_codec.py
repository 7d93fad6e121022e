"""`SeriesCodec`: the recent past of a series to a window, and a network's outputs to the values that come next.

It is made from the training part alone and is plain data: ``run.json`` holds it whole. It knows one series at a time.

A step of a window holds, in this order: the value; what is known up to now alone (``past``); what is known in advance
(``known``), of this step and of the steps that are forecast from it (``leads``); and the calendar of the next step.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rnnlab.config import Config, Interface
from rnnlab.data.clock import FEATURES, calendar_features
from rnnlab.data.sequences import Sequences
from rnnlab.errors import DataError
from rnnlab.tasks.window import Window, window_of

Prediction = dict[str, Any]
MOST_LEADS = 64
FLOOR = 0.1


class SeriesCodec(Config):
    """The recent past of a series to a window; outputs to its next values, in the data's own units.

    With ``layout`` features the whole window is one step of ``context_length`` features, as the lab had it; ``gap`` steps
    are skipped between the window and the first value forecast (the lab: 1; 0 is right). With ``log`` the network sees
    ``log(1 + value)``. With ``difference`` it sees changes against so many steps before, and forecasts the next such change
    (seasonal differencing; Box and Jenkins, 1970): the value of that earlier step is added to its answer.

    With ``scaling`` window each window has mean 0 and deviation 1 by itself, so that series of different level share a network
    (Smyl, 2020); the deviation is at least `FLOOR` of its series' own (``floors``), so that a flat window does not explode. With
    ``past_scaling`` window so has each ``past`` covariate (``past_floors``), whose level differs between series as theirs does.

    With ``quantiles`` the outputs are those quantiles of each step ahead (pinball loss; Koenker and Bassett, 1978). They are sorted
    before they are read, so that they cannot cross, which never makes the loss worse (Chernozhukov and others, 2010).
    """

    kind: Literal["series"] = "series"
    context_length: int = Field(ge=1)
    horizon: int = Field(1, ge=1)
    gap: int = Field(0, ge=0)
    layout: Literal["steps", "features"] = "steps"
    offset: float
    scale: float
    season: int = Field(1, ge=1)
    log: bool = False
    difference: int = Field(0, ge=0)
    scaling: Literal["standard", "window"] = "standard"
    past_scaling: Literal["standard", "window"] = "standard"
    names: tuple[str, ...] = ()
    floors: tuple[float, ...] = ()
    past_floors: tuple[tuple[float, ...], ...] = ()
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    covariate_offset: tuple[float, ...] = ()
    covariate_scale: tuple[float, ...] = ()
    quantiles: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _difference_is_known(self) -> Self:
        if 0 < self.difference < self.gap + self.horizon:
            raise ValueError(
                f"difference must be 0 or at least gap + horizon = {self.gap + self.horizon}, got {self.difference}; "
                "a value can only be compared with one that is known"
            )
        if self.layout == "features" and (self.past or self.known or self.calendar or self.scaling == "window"):
            raise ValueError("layout must be steps with covariates, a calendar or scaling window, got features")
        return self

    @property
    def past_length(self) -> int:
        """Values of the past that one forecast needs."""
        return self.context_length + self.difference

    @property
    def leads(self) -> tuple[int, ...]:
        """How many steps ahead of a step its known covariates are: all up to the horizon, or the horizon where these are many."""
        ahead = self.gap + self.horizon
        if not self.known:
            return ()
        return tuple(range(ahead + 1)) if ahead * len(self.known) <= MOST_LEADS else (0, ahead)

    @property
    def future_length(self) -> int:
        """Steps after the past of which the known covariates are read."""
        return self.gap + self.horizon if self.known else 0

    @property
    def plain(self) -> bool:
        """Whether the values alone are read, without covariates or times."""
        return not (self.past or self.known or self.calendar)

    @property
    def interface(self) -> Interface:
        """What one step holds (or the window as one step), and ``horizon`` values out, each with its quantiles."""
        features = self.context_length if self.layout == "features" else 1
        features += len(self.past) + len(self.known) * len(self.leads) + sum(FEATURES[name] for name in self.calendar)
        return Interface(symbols=0, features=features, outputs=self.horizon * max(1, len(self.quantiles)))

    def encode(self, raw: Sequence[Any]) -> Sequences:
        """Return the window of each series in ``raw``, made of its last `past_length` values.

        Args:
            raw: ``(time,)`` numbers each, or a `rnnlab.data.Series` where covariates or the calendar are read; its last values may be
                NaN: steps of the future, of which the known covariates are told.
        """
        windows = []
        for past in self._pasts(raw):
            changes = self.changes(past.values)
            offset, scale = self.levels_of(changes[None], past.name)[0]
            scaled = (changes - offset) / scale
            if self.layout == "features":
                windows.append(scaled[None, :])
            elif self.plain:
                windows.append(scaled[:, None])
            else:
                beside = self.covariates(past.ahead, past.past, past.known)[self.difference : self.past_length]
                beside = self.scale_past(beside[None], past.name)[0]
                windows.append(np.concatenate([scaled[:, None], beside], axis=1))
        return Sequences.pack(windows)

    def decode(self, outputs: np.ndarray, raw: Sequence[Any] = ()) -> list[Prediction]:
        """Return the next values for each row of ``outputs (examples, outputs)``; ``raw`` as it was encoded."""
        return [
            {"prediction": row[0] if len(row) == 1 else row} for row in self.point(self.ahead(outputs, raw)).tolist()
        ]

    def ahead(self, outputs: np.ndarray, raw: Sequence[Any], shift: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the next values ``(examples, horizon, quantiles or 1)`` in the data's own units, quantiles rising.

        Args:
            outputs: ``(examples, outputs)``.
            raw: as it was encoded.
            shift: is added to the outputs ``(examples, horizon, quantiles or 1)`` before they are put into units.
        """
        steps = self.by_step(outputs) + shift
        if not len(steps):
            return steps
        pasts = self._pasts(raw)
        levels = np.stack([self.levels_of(self.changes(past.values)[None], past.name) for past in pasts])[:, :, None]
        base: np.ndarray | float = 0.0
        if self.difference:
            first = self.context_length + self.gap
            base = np.stack([self.level(past.values)[first : first + self.horizon] for past in pasts])[..., None]
        return self.to_units(steps, base, levels[..., 0], levels[..., 1])

    def by_step(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs as ``(examples, horizon, quantiles or 1)`` float64, quantiles rising."""
        steps = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), self.horizon, -1)
        return np.sort(steps, axis=2) if self.quantiles else steps

    def point(self, steps: np.ndarray) -> np.ndarray:
        """Return the forecast itself, ``(examples, horizon)``, of ``(examples, horizon, quantiles or 1)``: the median."""
        return np.asarray(steps[..., self.quantiles.index(0.5) if self.quantiles else 0])

    def level(self, values: np.ndarray) -> np.ndarray:
        """Return ``values``, or their ``log(1 + value)``.

        Raises:
            DataError: a value of -1 or less, which has no such logarithm.
        """
        if not self.log:
            return values
        if values.min(initial=0.0) <= -1:
            raise DataError(f"values must be above -1 for log, got {values.min():g}; forecast without log")
        return np.asarray(np.log1p(values))

    def changes(self, values: np.ndarray) -> np.ndarray:
        """Return what the network sees of ``values (time,)`` before scaling, ``(time - difference,)``."""
        level = self.level(values)
        return level[self.difference :] - level[: -self.difference] if self.difference else level

    def to_units(
        self,
        outputs: np.ndarray,
        base: np.ndarray | float = 0.0,
        offset: np.ndarray | float | None = None,
        scale: np.ndarray | float | None = None,
    ) -> np.ndarray:
        """Return scaled values in their own units; ``base`` is the `level` of the steps that they are changes against."""
        offset, scale = (self.offset if offset is None else offset), (self.scale if scale is None else scale)
        values = outputs * scale + offset + base
        return np.asarray(np.expm1(values) if self.log else values)

    def levels_of(self, windows: np.ndarray, name: str = "") -> np.ndarray:
        """Return what is taken off each of ``windows (windows, context_length)`` of changes of series ``name``, and what divides them,
        ``(windows, 2)``.
        """
        if self.scaling == "standard":
            return np.tile([self.offset, self.scale], (len(windows), 1))
        return by_window(windows, self._floor.get(name))

    def scale_past(self, beside: np.ndarray, name: str = "") -> np.ndarray:
        """Return ``beside (windows, context_length, features)``, as `covariates` gives it for windows of series ``name``, with its past
        covariates scaled by their windows, where they are.
        """
        if self.past_scaling == "standard" or not self.past:
            return beside
        count = len(self.past)
        levels = by_window(beside[..., :count], self._past_floor.get(name))[:, :, None]
        return np.concatenate([(beside[..., :count] - levels[:, 0]) / levels[:, 1], beside[..., count:]], axis=2)

    def covariates(self, ahead: np.ndarray, past: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return what stands beside the value of each step, ``(time, features)``, scaled.

        Args:
            ahead: ``(time,)`` datetime64, of each step the time of the first value forecast from it.
            past: ``(time, past)``; steps of the future may be NaN.
            known: ``(time, known)``. A step whose leads lie behind the end sees the last ones instead.
        """
        offset, scale = np.array(self.covariate_offset), np.array(self.covariate_scale)
        scaled = (np.concatenate([past, known], axis=1) - offset) / scale
        parts, steps, last = [scaled[:, : len(self.past)]], np.arange(len(scaled)), len(scaled) - 1
        parts += [scaled[np.minimum(steps + lead, last), len(self.past) :] for lead in self.leads]
        parts += [calendar_features(ahead, self.calendar)] if self.calendar else []
        return np.concatenate(parts, axis=1)

    @cached_property
    def _floor(self) -> dict[str, float]:
        return dict(zip(self.names, self.floors))

    @cached_property
    def _past_floor(self) -> dict[str, np.ndarray]:
        return {name: np.array(floors) for name, floors in zip(self.names, self.past_floors)}

    def _pasts(self, raw: Sequence[Any]) -> list[Window]:
        return [window_of(self, one, f"series {row}") for row, one in enumerate(raw)]


def by_window(windows: np.ndarray, least: float | np.ndarray | None) -> np.ndarray:
    """Return mean and deviation of ``windows (windows, time, ...)``, ``(windows, 2, ...)``.

    Args:
        windows: of one series.
        least: a deviation is at least this; None for a series that was not trained on, which has no deviation of its own yet.
    """
    mean, deviation = windows.mean(axis=1), windows.std(axis=1)
    scale = np.maximum(deviation, FLOOR * np.abs(mean) if least is None else least)
    return np.stack([mean, np.where(scale == 0, 1.0, scale)], axis=1)
