"""Small pictures that must be there at every key: bars, marked characters and heat maps, as HTML in the page's colours.

Everything here returns markup whose text is escaped; the colours are the variables of `rnnlab.reports.palette`, so that a
picture follows the theme. It knows no run and no page.
"""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from rnnlab.reports.palette import THEMES, ThemeName
from rnnlab.reports.rounding import cell
from rnnlab.results import Table

MOST_BARS = 24


def bars(labels: Sequence[str], shares: np.ndarray, most: int = MOST_BARS) -> Markup:
    """Return a row a label, in the labels' own order so that nothing jumps, the largest marked; with many, only the largest.

    Args:
        labels: names of the rows.
        shares: ``(labels,)``, 0..1.
        most: rows shown.
    """
    best = int(shares.argmax())
    kept = sorted(np.argsort(-shares, kind="stable")[:most].tolist())
    rows = [
        Markup('<tr{}><th scope="row">{}</th><td class="bar"><i style="--share:{:.4f}"></i></td><td>{}</td></tr>').format(
            Markup(' class="best"') if row == best else "", labels[row], shares[row], percent(float(shares[row]))
        )
        for row in kept
    ]  # fmt: skip
    left = len(labels) - len(kept)
    more = Markup('<tr class="rest"><th scope="row">{} others</th><td></td><td>{}</td></tr>').format(
        left, percent(float(1 - shares[kept].sum()))
    )
    return Markup('<table class="bars">{}{}</table>').format(Markup("").join(rows), more if left else "")


def marked(symbols: Sequence[str], carried: np.ndarray) -> Markup:
    """Return the symbols with a tint each: blue where it carried the answer, orange where it spoke against, and how much."""
    largest = max(float(np.abs(carried).max(initial=0.0)), 0.05)
    cells = [
        Markup('<li class="{}" style="--share:{:.3f}"><b>{}</b><small>{}</small></li>').format(
            "for" if share >= 0 else "against", abs(share) / largest, symbol if symbol.strip() else "␣", points(share)
        )
        for symbol, share in zip(symbols, carried.tolist(), strict=True)
    ]
    return Markup('<ol class="marked">{}</ol>').format(Markup("").join(cells))


def heat(values: np.ndarray, rows: Sequence[str], alt: str) -> Markup:
    """Return ``values (rows, columns)`` as a heat map: blue above zero, orange below, clear at zero.

    Args:
        values: finite numbers.
        rows: a label each.
        alt: what a reader who does not see it is told.
    """
    images = [
        Markup('<img class="only-{}" alt="{}" src="{}">').format(theme, alt, _picture(values, theme))
        for theme in THEMES
    ]
    names = Markup("").join(Markup("<span>{}</span>").format(row if row.strip() else "␣") for row in rows)
    return Markup(
        '<div class="heat"><div class="rows" aria-hidden="true">{}</div><div class="cells">{}</div></div>'
    ).format(names, Markup("").join(images))


def table(found: Table) -> Markup:
    """Return a table as HTML, rounded."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in found.columns)
    rows = [
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell(value)) for value in row))
        for row in found.rows
    ]
    return Markup(
        '<table class="plain"><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(found.title, head, Markup("").join(rows))


def percent(share: float) -> str:
    """Return a share as a percentage, short.

    Example:
        >>> percent(0.9234), percent(0.0004)
        ('92 %', '< 0.1 %')
    """
    if share < 0.001:
        return "< 0.1 %" if share > 0 else "0 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign.

    Example:
        >>> points(-0.051), points(0.3), points(0.0)
        ('−5', '+30', '0')
    """
    rounded = round(100 * share)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded)}"


def _picture(values: np.ndarray, theme: ThemeName) -> str:
    """Return a PNG, a pixel a value, as a data address."""
    colours = np.array([[int(c[start : start + 2], 16) for start in (1, 3, 5)] for c in THEMES[theme].series[:2]])
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    pixels = np.empty((*values.shape, 4), dtype=np.uint8)
    pixels[..., :3] = colours[(values < 0).astype(np.int64)]
    pixels[..., 3] = np.round(255 * np.abs(values) / largest)
    return "data:image/png;base64," + base64.b64encode(_png(pixels)).decode()


def _png(pixels: np.ndarray) -> bytes:
    """Return ``pixels (height, width, 4)`` uint8 as a PNG (RFC 2083): a head, the rows unfiltered and packed, an end."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
