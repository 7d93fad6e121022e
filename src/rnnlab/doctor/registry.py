"""The table of checks: a name, what it needs of the subject, and the function that looks.

A check is ``check(examination) -> Finding | None``; its docstring says what it looks for and the remedy. This module
knows no check; the modules that hold them enter them with `check`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnlab.findings import Finding, Severity

if TYPE_CHECKING:
    from rnnlab.doctor.examination import Examination

CheckFunction = Callable[["Examination"], Finding | None]


@dataclass(frozen=True)
class Check:
    """One entry of the table.

    Args:
        name: of the check and of its findings.
        needs: attributes that the subject must have beyond the five that every subject has.
        silenced_by: checks whose finding explains this one, so that it need not be said again.
        run: the function.
    """

    name: str
    needs: tuple[str, ...]
    silenced_by: tuple[str, ...]
    run: CheckFunction = field(repr=False)

    @property
    def about(self) -> str:
        """Return what the check looks for, and the remedy."""
        return " ".join((self.run.__doc__ or "").split())


CHECKS: dict[str, Check] = {}


def check(
    name: str, *, needs: tuple[str, ...] = (), silenced_by: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Enter the decorated function in the table under ``name``."""

    def enter(function: CheckFunction) -> CheckFunction:
        CHECKS[name] = Check(name, needs, silenced_by, function)
        return function

    return enter


def found(check: str, severity: Severity, message: str, remedy: str, **evidence: Any) -> Finding:
    """Return a finding; floats in ``evidence`` are rounded to six digits."""
    return Finding(check, severity, message, {key: _plain(value) for key, value in evidence.items()}, remedy)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    return float(f"{number:.6g}") if number == number and abs(number) != float("inf") else str(number)
