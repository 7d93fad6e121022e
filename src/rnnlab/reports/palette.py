"""The colours of a report, light and dark, and how a picture follows the page it stands on.

Categorical colours are those of Okabe and Ito (2008, "Color Universal Design"), darkened on white and lightened on
black until each has a contrast of 3:1; dashes and shapes repeat what they say. The ramp is one hue, so that it
reads in grey too. Nothing here knows what is drawn.
"""

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["light", "dark"]

DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 2), (12, 4), (2, 4, 6, 4))
SHAPES: tuple[str, ...] = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, as ``#rrggbb``; every colour of the light theme is there once.

    Args:
        surface: behind the picture.
        ink: text and the data themselves.
        muted: axes and second-rank text.
        grid: grid lines.
        shade: the held-out part of a forecast.
        void: a cell without a value.
        outline: the edge of a baseline's bar.
        series: categorical colours, in the order they are given out.
        ramp: the sequential scale, lowest first.
        on_low: text on the first ``RAMP_FLIP`` colours of the ramp.
        on_high: text on the others.
    """

    surface: str
    ink: str
    muted: str
    grid: str
    shade: str
    void: str
    outline: str
    series: tuple[str, ...]
    ramp: tuple[str, ...]
    on_low: str
    on_high: str

    def variables(self) -> dict[str, str]:
        """Return the colours by the name of their CSS variable.

        Example:
            >>> THEMES["light"].variables()["c1"]
            '#0072b2'
        """
        named = {
            "surface": self.surface,
            "ink": self.ink,
            "muted": self.muted,
            "grid": self.grid,
            "shade": self.shade,
            "void": self.void,
            "outline": self.outline,
            "on-low": self.on_low,
            "on-high": self.on_high,
        }
        named |= {f"c{index}": colour for index, colour in enumerate(self.series, start=1)}
        return named | {f"r{index}": colour for index, colour in enumerate(self.ramp)}


RAMP_FLIP = 6

THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        surface="#fffffe",
        ink="#1d232a",
        muted="#56606b",
        grid="#e4e7eb",
        shade="#eef1f4",
        void="#e9eaec",
        outline="#5f6873",
        series=("#0072b2", "#cb4f00", "#00815c", "#a8528a", "#96690a", "#2a8fbd", "#6f6f78"),
        ramp=(
            "#f5f9fd",
            "#deebf7",
            "#c6dbef",
            "#9ecae1",
            "#6baed6",
            "#4292c6",
            "#2171b5",
            "#08519c",
            "#08306b",
        ),
        on_low="#10161d",
        on_high="#fffffd",
    ),
    "dark": Theme(
        surface="#14181d",
        ink="#e7ebef",
        muted="#a3adb8",
        grid="#2b323a",
        shade="#1f252c",
        void="#2a2f36",
        outline="#98a2ad",
        series=("#56b4e9", "#ff8a4c", "#35c79a", "#e39ac6", "#e6b450", "#9fd3f2", "#b4b4bd"),
        ramp=(
            "#1a2129",
            "#1c2f42",
            "#1e3d59",
            "#204c71",
            "#265c88",
            "#306d9e",
            "#6ba6d3",
            "#9cc7e8",
            "#d6ebff",
        ),
        on_low="#eef3f8",
        on_high="#0d1319",
    ),
}


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.1, "contrast ratio").

    Example:
        >>> round(contrast("#000000", "#ffffff"))
        21
    """
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
