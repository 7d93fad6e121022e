"""Where the examples of a forecast lie: in which series, at which position of one flat array, at which time.

All series stand behind each other in one flat array of values; an example is a position in it. It knows no codec.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Timeline:
    """The place of every example.

    Args:
        names: of the series, in their order.
        bounds: ``(series + 1,)`` int64: series i holds ``values[bounds[i]:bounds[i + 1]]``.
        series: ``(examples,)`` int64, the series of each example.
        targets: ``(examples,)`` int64, the position of each example's first target in the flat values.
        moments: ``(total,)`` int64, the rank of each value's time among all times, so that series share a clock.
        times: ``(moments,)`` datetime64, all times of all series, rising: what the moments are the ranks of.
        years: steps of a year, the nearest multiple of the season first (`rnnlab.data.clock.year_lags`); empty where there are none.
        levels: ``(examples, 2)`` float64, what each window was scaled by, in units (`SeriesCodec.levels_of`); None where all are alike.
    """

    names: tuple[str, ...]
    bounds: np.ndarray
    series: np.ndarray
    targets: np.ndarray
    moments: np.ndarray
    times: np.ndarray
    years: tuple[int, ...] = ()
    levels: np.ndarray | None = None

    @cached_property
    def several(self) -> bool:
        """Whether there is more than one series."""
        return len(self.names) > 1

    def first(self, examples: np.ndarray) -> np.ndarray:
        """Return where the series of ``examples`` begin, ``(examples,)``."""
        return np.asarray(self.bounds[self.series[examples]])

    def clock(self, examples: np.ndarray) -> np.ndarray:
        """Return the rank of the time of each example's first target, ``(examples,)``."""
        return np.asarray(self.moments[self.targets[examples]])
