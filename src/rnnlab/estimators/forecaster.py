"""`RecurrentForecaster`: the future of one series from its past, with ``fit`` and ``predict``."""

from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rnnlab.data import Series, Splits
from rnnlab.errors import ConfigError, DataError
from rnnlab.estimators.network import FEWEST_HELD_OUT, NetworkEstimator
from rnnlab.estimators.past import Past, read_past
from rnnlab.tasks import SeriesCodec, Task, everything_trains, forecast_series

FEWEST_WINDOWS = 8
NOTHING = np.zeros(0, dtype=np.int64)


class RecurrentForecaster(NetworkEstimator):
    """A recurrent network that continues a series.

    The network reads the last ``context_length`` values and forecasts the next ``horizon`` at once. Longer forecasts feed
    what was forecast back in, ``horizon`` values at a time, without fitting again.

    Args:
        horizon: values forecast at once; None takes one season, or 1 where the series has none.
        season: steps after which the pattern repeats; None takes what the times tell (7 for days), else 1.
        context_length: values that a forecast is made from; None takes two seasons and at least 16, or fewer where the
            series is short.
        difference: forecast changes against the value so many steps before (the season, often); 0 forecasts the values.
        log: whether the network sees ``log(1 + value)``, for series whose swings grow with their level.
        cell: ``elman`` (``rnn``), ``lstm``, ``gru`` or ``combined``.
        hidden_size: units of a layer.
        num_layers: recurrent layers.
        dropout: share of units dropped between layers and before the head.
        lr: learning rate of AdamW.
        batch_size: windows an update.
        epochs: passes over the windows at most.
        patience: passes without improvement on the held-out part after which training stops; 0 never stops early.
        validation_fraction: share at the end of the series that chooses the weights and stops training; where that is
            fewer than 20 windows, nothing is held out.
        random_state: an int for results that repeat; a numpy RandomState; or None.
        device: ``cpu``, ``cuda``, ...: where to train. Answers are computed on the CPU.
        options: any other option of `rnnlab.config.ModelConfig` and `rnnlab.config.TrainConfig`, by name.

    Attributes:
        season_, horizon_, context_length_: what was taken for them.
        run_: the `rnnlab.runs.Run` that training left, with its history; `rnnlab.runs.save` writes it.

    Example:
        >>> wave = 10 + np.sin(np.arange(120) * 2 * np.pi / 12)
        >>> model = RecurrentForecaster(season=12, hidden_size=16, lr=0.01, epochs=30, random_state=0).fit(wave)
        >>> model.predict(24).shape
        (24,)
        >>> model.predict(3, past=wave[:50]).shape
        (3,)
    """

    def __init__(
        self,
        horizon: int | None = None,
        season: int | None = None,
        context_length: int | None = None,
        difference: int = 0,
        log: bool = False,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        lr: float = 3e-3,
        batch_size: int = 32,
        epochs: int = 50,
        patience: int = 10,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        device: str = "cpu",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.horizon = horizon
        self.season = season
        self.context_length = context_length
        self.difference = difference
        self.log = log
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device
        self.options = options

    def fit(self, y: Any) -> Self:
        """Train on a series; return the estimator.

        Args:
            y: ``(time,)`` numbers, evenly spaced: a list, an array, a pandas or polars Series, a frame of one column, or an
                `rnnlab.data.Series`. The index of a pandas Series goes on in its forecasts.

        Raises:
            ValueError: the series is too short, or an input or a parameter breaks a rule; the message is one line.
        """
        seed = self._seed()
        past = read_past(y)
        self.season_ = _at_least("season", self.season, 1) or past.season
        # A season that the series does not hold twice is none that can be learnt.
        longest = max(1, len(past.values) // 4)
        self.horizon_ = _at_least("horizon", self.horizon, 1) or (self.season_ if self.season_ <= longest else 1)
        usual = min(max(2 * self.season_, 16), longest)
        self.context_length_ = _at_least("context_length", self.context_length, 1) or usual
        self._train(self._task(past), seed)
        # The past that the next forecast needs, and where its times go on.
        self._past = replace(
            past, values=past.values[-self._reads :], index=None if past.index is None else past.index[-3:]
        )
        self._scale = self._naive_error(past.values)
        return self

    def predict(self, horizon: int | None = None, past: Any = None) -> Any:
        """Return the next ``horizon`` values in the data's own units: ``(horizon,)``, or a pandas Series with their times.

        Args:
            horizon: values wanted; None takes as many as the network forecasts at once.
            past: what comes before them; None continues the series of ``fit``. It may be another series of the same kind.

        Raises:
            ValueError: a horizon below 1, or a past shorter than the network reads.
        """
        check_is_fitted(self)
        wanted = _at_least("horizon", horizon, 1) or self.horizon_
        known: Past = self._past if past is None else read_past(past)
        values = list(known.values)
        while len(values) < len(known.values) + wanted:
            answer = self.run_.predict([np.array(values[-self._reads :])])[0]["prediction"]
            values.extend(answer if isinstance(answer, list) else [answer])
        forecast = np.array(values[len(known.values) : len(known.values) + wanted])
        return known.forecast(forecast)

    def score(self, y: Any, past: Any = None) -> float:
        """Return minus the MASE of forecasting ``y (time,)``, what came next: higher is better, and -1 is as good as
        repeating the last season was, one step ahead, on the series of ``fit`` (Hyndman and Koehler, 2006).
        """
        check_is_fitted(self)
        truth = read_past(y).values
        if not len(truth):
            raise DataError("y must have at least one value, got none; pass what came after the series")
        error = np.abs(np.asarray(self.predict(len(truth), past)) - truth).mean()
        return float(-error / self._scale)

    @property
    def _reads(self) -> int:
        """The number of values that a forecast is made from."""
        return cast(SeriesCodec, self.run_.codec).past_length

    def _task(self, past: Past) -> Task:
        """Return the task of forecasting ``past``, with its end held out to choose the weights, or with nothing held out."""
        difference = _at_least("difference", self.difference, 0) or 0
        if 0 < difference < self.horizon_:
            raise ConfigError(f"difference must be 0 or at least horizon={self.horizon_}, got {difference}; raise it")
        need = difference + self.context_length_ + self.horizon_ + FEWEST_WINDOWS - 1
        windows = len(past.values) - need + FEWEST_WINDOWS
        if windows < FEWEST_WINDOWS:
            raise DataError(
                f"series must have at least {need} values for context_length={self.context_length_}, "
                f"horizon={self.horizon_} and difference={difference}, got {len(past.values)}; give more, or lower them"
            )
        times = np.arange(len(past.values)).astype("datetime64[D]")
        series = Series(times, past.values, str(past.name or "series"), self.season_)
        share = self._held_out()
        # The smallest share still gives the scaling of nearly all values where nothing is held out.
        task = forecast_series(
            series,
            context_length=self.context_length_,
            horizon=self.horizon_,
            log=bool(self.log),
            difference=difference,
            test=share or 1e-9,
            validation=0.0,
        )
        if not share or len(task.splits.test) < FEWEST_HELD_OUT:
            return replace(task, splits=everything_trains(windows))
        return replace(task, splits=Splits(task.splits.train, task.splits.test, NOTHING))

    def _naive_error(self, values: np.ndarray) -> float:
        """Return the mean error of repeating the last season, 1 where it makes none."""
        season = self.season_ if self.season_ < len(values) else 1
        return float(np.abs(values[season:] - values[:-season]).mean()) or 1.0


def _at_least(name: str, value: Any, least: int) -> int | None:
    """Return a whole number that must be at least ``least``; None where it is None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, got {value!r}; see its description")
    return int(value)
