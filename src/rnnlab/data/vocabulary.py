"""Characters to symbols and back. Symbol 0 pads, symbol 1 stands for every character never seen in training."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

PADDING, UNKNOWN, FIRST = 0, 1, 2


@dataclass(frozen=True)
class Vocabulary:
    """The characters that training saw, in the order of their symbols.

    Example:
        >>> Vocabulary.of(["abba"]).encode("abc").tolist()
        [2, 3, 1]
    """

    characters: str

    @classmethod
    def of(cls, texts: Iterable[str], *, at_least: int = 1) -> "Vocabulary":
        """Return the characters that occur ``at_least`` so often in ``texts``, sorted."""
        counts = Counter[str]()
        for text in texts:
            counts.update(text)
        return cls("".join(sorted(c for c, count in counts.items() if count >= at_least)))

    def __len__(self) -> int:
        """The number of symbols, padding and unknown included."""
        return len(self.characters) + FIRST

    def encode(self, text: str) -> np.ndarray:
        """Return the ``(time,)`` int64 symbols of ``text``; the empty text is one padding symbol."""
        table = self._table
        return (
            np.fromiter((table.get(c, UNKNOWN) for c in text), np.int64, len(text)) if text else np.zeros(1, np.int64)
        )

    def encode_all(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the symbols of every text."""
        return [self.encode(text) for text in texts]

    @property
    def _table(self) -> dict[str, int]:
        table = self.__dict__.get("_lookup")
        if table is None:
            table = {c: i for i, c in enumerate(self.characters, FIRST)}
            object.__setattr__(self, "_lookup", table)
        return table
