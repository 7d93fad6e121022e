"""stub"""

from typing import Any


def choose(cell: str, runs: int, batch: int, time: int, features: int, hidden: int, device: Any, dtype: Any) -> str:
    return "kernel"
