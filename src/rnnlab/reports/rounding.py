"""Numbers as a reader wants them: about four significant digits, one form a column, no NaN in disguise.

Knows nothing of tables or pictures.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

NOTHING = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NUMBER_LIKE = re.compile(r"[-−+~≈<>≤≥]?\s*\d[\d\s.,eE%±×⁰¹²³⁴⁵⁶⁷⁸⁹⁻()/+−–-]*( ?(s|ms|%)| of \d[\d,.]*)?")


def finite(value: object) -> float | None:
    """Return ``value`` as a finite float, or None for anything else (text, None, NaN, infinities, booleans)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def scientific(value: float, digits: int = 3) -> str:
    """Return ``value`` with a power of ten.

    Example:
        >>> scientific(3.2e-7)
        '3.2×10⁻⁷'
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa.replace('-', '−')}×{power}"


def number(value: float, digits: int = 4) -> str:
    """Return ``value`` with ``digits`` significant digits; whole numbers and thousands stay whole.

    Example:
        >>> number(0.83861), number(21463.5), number(3.2e-7), number(1024)
        ('0.8386', '21,464', '3.2×10⁻⁷', '1024')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if isinstance(value, int) and size < 10**15:
        return _grouped(value, 0)
    if size and (size < 1e-4 or size >= 1e9):
        return scientific(value, digits)
    decimals = digits - 1 - _exponent(size)
    decimals = max(decimals, 0)
    exact = round(value, decimals) == value  # 0.5 is not 0.5000, but 245.998 is 246.0
    text = _grouped(value, decimals)
    return text.rstrip("0").rstrip(".") if exact and "." in text else text


def compact(value: float, digits: int = 3) -> str:
    """Return ``value`` as short as a picture needs it, with ``1e-4`` for a power of ten.

    Example:
        >>> compact(0.8386), compact(0.00004), compact(250000.0)
        ('0.839', '4e-5', '2.5e5')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return number(value, digits)
    mantissa, exponent = f"{value:.{digits - 1}e}".replace("-", "−", value < 0).split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def cell(value: object) -> str:
    """Return one value as text: numbers rounded, ``yes`` and ``no``, a dash for nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)


def column(values: Sequence[Any]) -> list[str]:
    """Return a column of values as text, with the same number of decimals where one scale fits them all.

    Example:
        >>> column([0.83861, 0.5, None])
        ['0.8386', '0.5000', '–']
        >>> column([0.001, 0.01, 0.1])
        ['0.001', '0.01', '0.1']
    """
    floats = [abs(v) for v in values if isinstance(v, float) and math.isfinite(v) and v]
    if not floats or max(floats) / min(floats) > 300 or not 1e-3 <= max(floats) < 1e6 or _short(floats):
        return [cell(value) for value in values]
    decimals = max(0, 3 - _exponent(max(floats)))
    return [_grouped(v, decimals) if isinstance(v, float) and math.isfinite(v) else cell(v) for v in values]


def is_numeric(values: Iterable[Any]) -> bool:
    """Return whether a column holds figures (numbers, or text that reads as one) and is set to the right."""
    shown = [value for value in values if value is not None]
    return bool(shown) and all(
        not isinstance(v, bool) and (isinstance(v, int | float) or bool(_NUMBER_LIKE.fullmatch(str(v).strip())))
        for v in shown
    )


def _short(values: Iterable[float]) -> bool:
    return all(float(f"{value:.2g}") == value for value in values)


def _exponent(size: float) -> int:
    return math.floor(math.log10(size)) if size else 0


def _grouped(value: float, decimals: int) -> str:
    grouping = "," if abs(value) >= 10_000 else ""
    return f"{value:{grouping}.{decimals}f}".replace("-", "−")
