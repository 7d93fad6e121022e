"""What an estimator is given as ``X``, as examples of one of three kinds: strings, rows of a table, sequences.

========================================================  =============  ==========================================
given                                                     kind           a step is
========================================================  =============  ==========================================
list, array or column of strings                          ``strings``    a character
2-D array, list of equal rows, data frame                 ``table``      a column (or ``features_per_step`` columns)
3-D array ``(examples, time, features)``                  ``sequences``  a row of features
list of arrays ``(time, features)`` or ``(time,)``        ``sequences``  a row of features
========================================================  =============  ==========================================

A table goes through scikit-learn's own validation (``n_features_in_``, ``feature_names_in_`` and their messages). This
module knows no network and no target.
"""

from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import numpy as np
from sklearn.utils.validation import validate_data

from rnnlab.errors import ConfigError, DataError

Kind = Literal["strings", "table", "sequences"]
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Examples:
    """Examples of one kind.

    Args:
        kind: ``strings``, ``table`` or ``sequences``.
        values: strings, or arrays ``(time, features)`` float64.
    """

    kind: Kind
    values: list[Any]

    def __len__(self) -> int:
        return len(self.values)


def read_examples(estimator: Any, given: Any, *, fitting: bool) -> Examples:
    """Return the examples in ``given``; in ``fit``, note on the estimator what an input must look like.

    Args:
        estimator: gets ``input_kind_`` and ``n_features_in_`` (columns of a table, features of a step, 1 for strings) and,
            where columns have names, ``feature_names_in_``; or has them, in ``predict``.
        given: what the user passed as ``X``.
        fitting: whether this is ``fit``.

    Raises:
        ValueError: an input of no kind, or of another kind, width or column names than in ``fit``.
    """
    fitted: Kind | None = None if fitting else estimator.input_kind_
    plain = _plain(given)
    if isinstance(plain, list | tuple) and not len(plain) and fitted in ("strings", "sequences"):
        return Examples(fitted, [])
    kind = _kind(plain, fitted)
    if fitted is not None and kind != fitted:
        raise DataError(f"X must be {_ASKED[fitted]} as in fit, got {_ASKED[kind]}; pass what the model was fitted on")
    if kind == "table":
        return Examples(kind, _read_table(estimator, plain, fitting))
    values: list[Any] = _read_strings(plain) if kind == "strings" else _read_sequences(plain)
    width = 1 if kind == "strings" else values[0].shape[1]
    if fitting:
        estimator.n_features_in_ = width
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        estimator.input_kind_ = kind
    elif width != estimator.n_features_in_:
        raise DataError(f"X must have {estimator.n_features_in_} features a step as in fit, got {width}; pass the same")
    return Examples(kind, values)


_ASKED: dict[Kind, str] = {
    "strings": "strings",
    "table": "a table (2-D, a row an example)",
    "sequences": "sequences (3-D, or a list of arrays)",
}


def _plain(given: Any) -> Any:
    """Take series, object arrays and single columns of text apart into lists; leave the rest as it is."""
    if nw.dependencies.is_into_series(given):
        return nw.from_native(given, series_only=True).to_list()
    if nw.dependencies.is_into_dataframe(given):
        return _column_of_text(given)
    if isinstance(given, np.ndarray) and given.dtype.kind in "UO" and given.size:
        texts = given.dtype.kind == "U" or isinstance(given.flat[0], str)
        if given.ndim == 1 or (given.ndim == 2 and given.shape[1] == 1 and texts):
            return given.ravel().tolist()
    return given


def _column_of_text(given: Any) -> Any:
    """Return the texts of a frame that is one column of text; a frame without text as it is."""
    frame = nw.from_native(given, eager_only=True)
    texts = [name for name, kind in frame.schema.items() if isinstance(kind, nw.String | nw.Categorical | nw.Enum)]
    if not texts:
        return given
    if len(frame.columns) > 1:
        raise DataError(f"column {texts[0]!r} of X must be numbers, got text; encode it, or pass it as the only column")
    return frame[texts[0]].cast(nw.String).to_list()


def _kind(plain: Any, fitted: Kind | None) -> Kind:
    """Return the kind of ``plain``; what may be either, equal rows of a list, is a table unless ``fitted`` says else."""
    if not isinstance(plain, list | tuple):
        return "sequences" if getattr(plain, "ndim", 2) == 3 else "table"
    if not len(plain):
        raise DataError("X must hold examples, got an empty list; pass at least one")
    first = plain[0]
    if isinstance(first, str):
        return "strings"
    if nw.dependencies.is_into_dataframe(first) or getattr(first, "ndim", 0) > 0:
        return "sequences"
    if not isinstance(first, list | tuple):
        return "table"
    nested = any(isinstance(step, list | tuple) or getattr(step, "ndim", 0) > 0 for step in first)
    lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in plain}
    return "sequences" if nested or len(lengths) > 1 or fitted == "sequences" else "table"


def _read_table(estimator: Any, plain: Any, fitting: bool) -> list[np.ndarray]:
    """Return each row as ``(time, features_per_step)``."""
    table = validate_data(estimator, plain, dtype=np.float64, reset=fitting)
    step, columns = estimator.features_per_step, table.shape[1]
    if not isinstance(step, int | np.integer) or step < 1 or columns % step:
        raise ConfigError(
            f"features_per_step must divide the {columns} columns of X, got {step!r}; "
            "pass the number of columns that make one step"
        )
    _within_range(table)
    if fitting:
        estimator.input_kind_ = "table"
    return list(table.reshape(len(table), columns // step, step))


def _read_strings(plain: Any) -> list[str]:
    for row, text in enumerate(plain):
        if not isinstance(text, str):
            raise DataError(f"X must be strings, got {type(text).__name__} in row {row}; convert it or drop the row")
    return list(plain)


def _read_sequences(plain: Any) -> list[np.ndarray]:
    """Return every sequence as ``(time, features)`` float64, all of one width, none empty, all finite."""
    if not isinstance(plain, list | tuple):
        whole = _numbers(plain, "X")
        if not whole.size:
            raise DataError(f"X must hold examples, steps and features, got shape {whole.shape}; pass at least one")
        return list(_within_range(_finite(whole, "X")))
    arrays = [_one_sequence(array, row) for row, array in enumerate(plain)]
    width = arrays[0].shape[1]
    for row, array in enumerate(arrays):
        if array.shape[1] != width:
            raise DataError(
                f"X must have {width} features in every sequence as in the first, got {array.shape[1]} in sequence {row}; "
                "pass (time, features) arrays of one width"
            )
    return arrays


def _one_sequence(given: Any, row: int) -> np.ndarray:
    name = f"sequence {row} of X"
    if nw.dependencies.is_into_dataframe(given):
        given = nw.from_native(given, eager_only=True).to_numpy()
    array = _numbers(given, name)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise DataError(
            f"{name} must have shape (time, features), got {array.shape}; reshape it, or drop it where empty"
        )
    return _within_range(_finite(array, name))


def _numbers(given: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(given)
        if array.dtype.kind == "c":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be numbers, got {str(given)[:40]!r}; pass (time, features)") from None


def _finite(array: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite, got NaN or infinity; fill or drop it")
    return array


def _within_range(array: np.ndarray) -> np.ndarray:
    if np.abs(array).max(initial=0.0) > LARGEST:
        raise DataError(f"X must be within {LARGEST:.1e}, got {np.abs(array).max():.1e}; scale it")
    return array
