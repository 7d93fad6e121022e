"""Sources: raw rows as they were read, with where they come from and a fingerprint of their content.

A source knows nothing of models: no vocabulary, no scaling, no windows, no split. Tasks are made of sources;
readers, the built-in library and data frames make sources.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnlab.errors import DataError


@dataclass(frozen=True)
class LabelledStrings:
    """Strings, each with a label.

    Args:
        texts: the strings, in the order of the file.
        labels: one a string.
        provenance: where they come from, one line.

    Example:
        >>> LabelledStrings(("abc", "xyz"), ("low", "high")).classes
        ('high', 'low')
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    provenance: str = "given in memory"
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise DataError(
                f"labels must be as many as texts, got {len(self.labels)} for {len(self.texts)}; give one label a text"
            )
        object.__setattr__(self, "fingerprint", _sha256(_texts(self.texts), _texts(self.labels)))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted."""
        return tuple(sorted(set(self.labels)))


@dataclass(frozen=True, eq=False)
class Series:
    """One number at each of many times, in order.

    Args:
        times: ``(time,)`` datetime64, rising.
        values: ``(time,)`` float64, in the data's own units.
        name: what the values are (``revenue``), or which series of a collection (``EIRE``).
        season: steps after which the pattern repeats (7 for days of a week); 1 where there is none.
        known: numbers that are known in advance for every time, ``(time,)`` float64 each (``open``).
        past: numbers that are known up to now alone, ``(time,)`` float64 each (``visitors``).
        provenance: where they come from, one line.

    Example:
        >>> days = np.arange("2024-01-01", "2024-01-04", dtype="datetime64[D]")
        >>> len(Series(days, np.array([1.0, 2.0, 3.0]), "visits", 7))
        3
    """

    times: np.ndarray
    values: np.ndarray
    name: str
    season: int = 1
    provenance: str = "given in memory"
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    past: Mapping[str, np.ndarray] = field(default_factory=dict)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        for name, array in [(self.name, self.values), *self.known.items(), *self.past.items()]:
            if array.shape != self.times.shape or array.ndim != 1:
                raise DataError(
                    f"{name!r} must have one value a time {self.times.shape}, got {array.shape}; give arrays of one length"
                )
        if self.season < 1:
            raise DataError(f"season must be at least 1, got {self.season}; give the steps of one period")
        known = [part for name in sorted(self.known) for part in (name.encode(), _numbers(self.known[name], "f8"))]
        past = [
            part for name in sorted(self.past) for part in (b"past", name.encode(), _numbers(self.past[name], "f8"))
        ]
        parts = (_instants(self.times), _numbers(self.values, "f8"), *known, *past)
        object.__setattr__(self, "fingerprint", _sha256(*parts))

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class SeriesCollection:
    """Many series of one kind, for one model of all.

    Args:
        series: the series; their names tell them apart.
        provenance: where they come from, one line.
    """

    series: tuple[Series, ...]
    provenance: str = "given in memory"
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        names = [one.name for one in self.series]
        if not names or len(set(names)) != len(names):
            raise DataError(
                f"series must have distinct names, got {len(names)} series with {len(set(names))} names; rename them"
            )
        parts = [part for one in self.series for part in (one.name.encode(), one.fingerprint.encode())]
        object.__setattr__(self, "fingerprint", _sha256(*parts))

    def __len__(self) -> int:
        return len(self.series)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the series, in their order."""
        return tuple(one.name for one in self.series)

    @property
    def season(self) -> int:
        """The season that the series share."""
        return self.series[0].season


@dataclass(frozen=True, eq=False)
class NumberSequences:
    """Sequences of numbers, ragged or not, each with a target: numbers to predict, or a label.

    Args:
        values: an array ``(time, features)`` float32 a sequence.
        targets: ``(examples,)`` or ``(examples, outputs)`` float32, in their own units; or a tuple of labels.
        features: a name a feature.
        provenance: where they come from, one line.

    Example:
        >>> NumberSequences((np.zeros((3, 1), np.float32),), np.array([1.0], np.float32)).kind
        'regress'
    """

    values: tuple[np.ndarray, ...]
    targets: np.ndarray | tuple[str, ...]
    features: tuple[str, ...] = ()
    provenance: str = "given in memory"
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.values) != len(self.targets):
            raise DataError(
                f"targets must be as many as sequences, got {len(self.targets)} for {len(self.values)}; "
                "give one target a sequence"
            )
        widths = {array.shape[1] if array.ndim == 2 else -1 for array in self.values}
        if len(widths) > 1 or -1 in widths:
            raise DataError("values must be arrays (time, features) of one width, got others; reshape them")
        if not self.features and widths:
            object.__setattr__(self, "features", tuple(f"x{i}" for i in range(widths.pop())))
        lengths = np.array([len(array) for array in self.values])
        flat = np.concatenate(self.values) if self.values else np.zeros(0)
        targets = _texts(self.targets) if isinstance(self.targets, tuple) else _numbers(self.targets, "f4")
        object.__setattr__(self, "fingerprint", _sha256(_numbers(lengths, "i8"), _numbers(flat, "f4"), targets))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def kind(self) -> str:
        """``classify`` where the targets are labels, ``regress`` where they are numbers."""
        return "classify" if isinstance(self.targets, tuple) else "regress"


Source = LabelledStrings | NumberSequences | Series | SeriesCollection


def _sha256(*parts: bytes) -> str:
    """Hash the parts and their lengths, so that no two lists of parts look alike."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _texts(texts: Iterable[str]) -> bytes:
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return np.array([len(text) for text in encoded], dtype="<i8").tobytes() + b"".join(encoded)


def _numbers(array: np.ndarray, kind: str) -> bytes:
    return np.ascontiguousarray(array, dtype=f"<{kind}").tobytes()


def _instants(times: np.ndarray) -> bytes:
    """Microseconds since 1970, whatever the unit of ``times``: the same instants have the same fingerprint."""
    return _numbers(times.astype("datetime64[us]").astype(np.int64), "i8")


def describe(source: Any) -> str:
    """Return one line that says what a source holds."""
    if isinstance(source, LabelledStrings):
        return f"{len(source):,} strings of {len(source.classes)} classes"
    if isinstance(source, NumberSequences):
        return f"{len(source):,} sequences of {len(source.features)} features, to {source.kind}"
    if isinstance(source, SeriesCollection):
        return f"{len(source):,} series, {sum(map(len, source.series)):,} values"
    return f"{len(source):,} values of {source.name!r}, {source.times[0]} .. {source.times[-1]}"
