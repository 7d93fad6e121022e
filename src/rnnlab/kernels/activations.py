"""tanh and sigmoid for compiled loops, of a vector or a number: a clamped rational function.

The coefficients are those of Eigen's float tanh (``ptanh_float`` in MathFunctionsImpl.h): odd degree 13 over
even degree 6, within a few units in the last place. Beyond 9 the result is exactly 1, as torch's is: a saturated unit then
has a gradient of exactly 0. NaN stays NaN.
"""

from typing import Any

import numpy as np

from rnnlab.kernels.compiling import inlined
from rnnlab.kernels.vectors import where_greater

_LIMIT = np.float32(7.90531110763549805)
_FULL = np.float32(9.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_A1 = np.float32(4.89352455891786e-03)
_A3 = np.float32(6.37261928875436e-04)
_A5 = np.float32(1.48572235717979e-05)
_A7 = np.float32(5.12229709037114e-08)
_A9 = np.float32(-8.60467152213735e-11)
_A11 = np.float32(2.00018790482477e-13)
_A13 = np.float32(-2.76076847742355e-16)
_B0 = np.float32(4.89352518554385e-03)
_B2 = np.float32(2.26843463243900e-03)
_B4 = np.float32(1.18534705686654e-04)
_B6 = np.float32(1.19825839466702e-06)


@inlined
def tanh(x: Any) -> Any:
    """Return tanh of ``x``, a vector of `rnnlab.kernels.vectors` or a float32."""
    y = where_greater(x, _LIMIT, _LIMIT, x)
    y = where_greater(-_LIMIT, y, -_LIMIT, y)
    square = y * y
    top = _A11 + square * _A13
    top = _A9 + square * top
    top = _A7 + square * top
    top = _A5 + square * top
    top = _A3 + square * top
    top = y * (_A1 + square * top)
    bottom = _B4 + square * _B6
    bottom = _B2 + square * bottom
    bottom = _B0 + square * bottom
    result = where_greater(x, _FULL, _ONE, top / bottom)
    return where_greater(-_FULL, x, -_ONE, result)


@inlined
def sigmoid(x: Any) -> Any:
    """Return the logistic function of ``x``: 1/2 + tanh(x / 2) / 2."""
    return _HALF + _HALF * tanh(_HALF * x)
