"""Sliding windows of one series, recognised: where the series can be put together again, targets have a place in it."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Inputs that are windows of one series, in order.

    Args:
        series: ``(time, features)``, as far as the windows cover it.
        width: steps a window.
    """

    series: Tensor
    width: int


def windows_of(inputs: Tensor, limit: int | None = 4096) -> Windows | None:
    """Return the series behind ``inputs (batch, time, features)`` or ``(batch, 1, window)``; None where it is none.

    Each window must begin one step after the one before.
    """
    if not inputs.is_floating_point() or inputs.ndim < 2 or inputs.shape[0] < 8:
        return None
    values = inputs[:limit].double()
    if values.ndim == 2:
        values = values.unsqueeze(-1)
    elif values.shape[1] == 1 and values.shape[2] > 3:
        values = values.transpose(1, 2)
    if values.ndim != 3 or values.shape[1] < 3:
        return None
    same = (values[:-1, 1:] == values[1:, :-1]).double().mean()
    if float(same) < 0.99 or float(values.std()) == 0:
        return None
    series = torch.cat([values[0], values[1:, -1]])
    return Windows(series, values.shape[1])


def target_offset(windows: Windows, targets: Tensor, most: int = 40) -> tuple[int, int] | None:
    """Return ``(offset, column)``: how many steps after its window's last step a target lies in the series.

    1 is the next step; 0 the last step of the window itself; below 0 further inside. None where targets are no values of
    the series. The last step of another column wins: a column that was not shifted holds the target.
    """
    wanted = targets[: len(windows.series) - windows.width + 1].double()
    wanted = wanted.reshape(wanted.shape[0], -1)[:, 0]
    best: tuple[float, int, int] | None = None
    for offset in (1, 0, *range(2, most), *range(-1, -windows.width, -1)):
        first = windows.width - 1 + offset
        covered = min(len(wanted), len(windows.series) - first)
        if covered < 5:
            continue
        for column in range(windows.series.shape[1]):
            values = windows.series[first : first + covered, column]
            close = (values - wanted[:covered]).abs() <= 1e-5 * (1 + values.abs())
            same = float(close.double().mean())
            unshifted = best is not None and offset == 0 < best[1] and column != best[2]
            if same > 0.95 and (best is None or unshifted or same > best[0] + 0.02):
                best = same, offset, column
    return None if best is None else best[1:]
