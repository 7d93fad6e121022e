"""Splits: which examples train, which choose (validation), and which judge (test).

Three rules, a function each: strings by *distinct string*, rows at random, series by time. Random ones are drawn
without state: the place of an example is the hash of ``(seed, key)``, so a split does not depend on the order of the
file, nor on a library's generator.
"""

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from rnnlab.errors import ConfigError, DataError


@dataclass(frozen=True, eq=False)
class Splits:
    """Positions of the examples of each part, rising: ``(examples of the part,)`` int64."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def __len__(self) -> int:
        return len(self.train) + len(self.validation) + len(self.test)


def split_key(text: str) -> str:
    """Return what makes two strings the same for a split: compatibility form, case and spaces aside.

    A model that reads lower case, or an n-gram baseline, sees ``Müller`` and ``MÜLLER `` as one string: had one of
    them been trained on, the other would not be held out.

    Example:
        >>> split_key(" De  Luca") == split_key("de luca")
        True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def split_strings(
    texts: Sequence[str], labels: Sequence[str], *, test: float = 0.2, validation: float = 0.1, seed: int = 0
) -> Splits:
    """Split labelled strings by distinct string (`split_key`), stratified by label.

    All rows of a string land in one part, whatever labels they bear, so no string of ``validation`` or ``test`` was
    trained on. A string of several labels is counted with its rarest one. Each label keeps at least one string in
    ``train``, and gives one to each other part as soon as it has three.

    Args:
        texts: the strings.
        labels: one a string.
        test: share of the distinct strings for the last judgement.
        validation: share of the distinct strings for choosing.
        seed: another seed, another split.

    Raises:
        DataError: fewer than two labels, or too few distinct strings for three parts.
        ConfigError: shares outside their range.

    Example:
        >>> split = split_strings(["a", "A", "b", "c", "d", "e"], list("xxxyyy"), test=0.3, validation=0.2)
        >>> len(split)
        6
    """
    _two_labels(labels)
    counts = Counter(labels)
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        rows[split_key(text)].append(row)
    strata: dict[Hashable, list[str]] = defaultdict(list)
    for key, members in rows.items():
        strata[min((labels[row] for row in members), key=lambda label: (counts[label], label))].append(key)
    parts = _allocate(strata, test, validation, seed, "distinct strings")
    return Splits(*(_positions([row for key in part for row in rows[key]]) for part in parts))


def split_rows(
    rows: int,
    labels: Sequence[str] | None = None,
    *,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> Splits:
    """Split ``rows`` examples at random, stratified by ``labels`` where they are given.

    Raises:
        DataError: labels of one class only, or too few rows for three parts.
        ConfigError: shares outside their range.

    Example:
        >>> [len(part) for part in vars(split_rows(10)).values()]
        [7, 1, 2]
    """
    strata: dict[Hashable, list[str]] = defaultdict(list)
    if labels is not None:
        _two_labels(labels)
    for row in range(rows):
        strata[None if labels is None else labels[row]].append(str(row))
    parts = _allocate(strata, test, validation, seed, "rows")
    return Splits(*(_positions([int(key) for key in part]) for part in parts))


def split_time(times: int, *, test: float = 0.2, validation: float = 0.1) -> Splits:
    """Split ``times`` steps in order: the past trains, then validation, the last part is the test. Never shuffled.

    Raises:
        DataError: too few steps for three parts.
        ConfigError: shares outside their range.

    Example:
        >>> split_time(10).test.tolist()
        [8, 9]
    """
    _check_shares(test, validation)
    held, chosen = _ceil(test, times), _ceil(validation, times)
    if times - held - chosen < 1:
        raise DataError(f"series must have at least {_least(test, validation)} steps to split, got {times}; give more")
    first, second = times - held - chosen, times - held
    return Splits(*(np.arange(*ends, dtype=np.int64) for ends in ((0, first), (first, second), (second, times))))


def _allocate(
    strata: dict[Hashable, list[str]], test: float, validation: float, seed: int, noun: str
) -> tuple[list[str], list[str], list[str]]:
    """Deal the keys of every stratum to train, validation and test."""
    _check_shares(test, validation)
    parts: tuple[list[str], list[str], list[str]] = ([], [], [])
    for keys in strata.values():
        dealt = sorted(keys, key=lambda key: _place(seed, key))
        held = _share(test, len(keys), 2)
        chosen = _share(validation, len(keys), 3)
        if held + chosen >= len(keys):
            held = chosen = 0
        parts[2].extend(dealt[:held])
        parts[1].extend(dealt[held : held + chosen])
        parts[0].extend(dealt[held + chosen :])
    if not parts[0] or not parts[2] or (validation and not parts[1]):
        total = sum(map(len, strata.values()))
        raise DataError(
            f"data must have enough {noun} for train, validation and test, got {total} in {len(strata)} classes; "
            "give at least 3 a class"
        )
    return parts


def _share(share: float, count: int, least: int) -> int:
    """Return the rounded share of ``count``; at least 1 where there are ``least`` of them."""
    if share == 0:
        return 0
    return max(round(share * count), 1 if count >= least else 0)


def _place(seed: int, key: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _positions(rows: list[int]) -> np.ndarray:
    return np.sort(np.array(rows, dtype=np.int64))


def _ceil(share: float, count: int) -> int:
    """``ceil(share * count)`` of the share as it is written: 0.1 of 30 is 3, not 4."""
    return ceil(Fraction(str(share)) * count)


def _least(test: float, validation: float) -> int:
    return next(n for n in range(1, 10**6) if n - _ceil(test, n) - _ceil(validation, n) >= 1)


def _check_shares(test: float, validation: float) -> None:
    if not 0 < test < 1:
        raise ConfigError(f"test must be between 0 and 1, got {test}; give the share to hold out, such as 0.2")
    if not 0 <= validation < 1 - test:
        raise ConfigError(
            f"validation must be at least 0 and leave a part to train, got {validation} beside test {test}; "
            "give a smaller share, such as 0.1"
        )


def _two_labels(labels: Sequence[str]) -> None:
    distinct = set(labels)
    if len(distinct) < 2:
        got = f"one: {next(iter(distinct))!r}" if distinct else "none"
        raise DataError(f"target must have at least two classes, got {got}; name another target column")
