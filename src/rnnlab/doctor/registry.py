"""The tables of checks: a name, what it needs of what is examined, and the function that looks.

A check is ``check(examined) -> Finding | None``; its docstring says what it looks for and the remedy. There are two tables:
`CHECKS` looks at anybody's training, an `Examination`; `RUN_CHECKS` at a run of rnnlab's own, a `Case`. This module knows
no check; the modules that hold them enter them with `check`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from rnnlab.findings import Finding, Severity

CheckFunction = Callable[[Any], Finding | None]


class OutOfTime(Exception):
    """The time of the examination is used up; what is not known yet stays unknown."""


@dataclass(frozen=True)
class Check:
    """One entry of the table.

    Args:
        name: of the check and of its findings.
        needs: attributes that the subject must have beyond the five that every subject has.
        silenced_by: checks whose finding explains this one, so that it need not be said again.
        run: the function.
        at_the_end: whether it judges a whole training. While a run trains, its finding is not shown; it explains others all the same.
    """

    name: str
    needs: tuple[str, ...]
    silenced_by: tuple[str, ...]
    run: CheckFunction = field(repr=False)
    at_the_end: bool = False

    @property
    def about(self) -> str:
        """Return what the check looks for, and the remedy."""
        return " ".join((self.run.__doc__ or "").split())


CHECKS: dict[str, Check] = {}
RUN_CHECKS: dict[str, Check] = {}


def check(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    silenced_by: tuple[str, ...] = (),
    at_the_end: bool = False,
    table: dict[str, Check] = CHECKS,
) -> Callable[[CheckFunction], CheckFunction]:
    """Enter the decorated function in a table under ``name``."""

    def enter(function: CheckFunction) -> CheckFunction:
        table[name] = Check(name, needs, silenced_by, function, at_the_end)
        return function

    return enter


def in_order(checks: Mapping[str, Check], late: Callable[[Check], bool] = lambda _: False) -> list[Check]:
    """Return the checks so that each comes after those that silence it, and the ``late`` ones at the end.

    Raises:
        graphlib.CycleError: checks silence each other in a circle.
    """
    graph = {name: [by for by in one.silenced_by if by in checks] for name, one in checks.items()}
    order = [checks[name] for name in TopologicalSorter(graph).static_order()]
    return sorted(order, key=late)


def run_checks(checks: Iterable[Check], examined: Any, known: Iterable[Finding] = ()) -> list[Finding]:
    """Return what ``checks`` find, in their order, each unless what it needs is not there or a finding explains it.

    A check that fails on something odd, or finds no time, ends no examination: a hint ``not_examined`` names it.

    Args:
        checks: as of `in_order`.
        examined: an `Examination` or a `Case`; has ``missing(need)``.
        known: what was found before; silences checks, and is not returned.
    """
    said = {finding.check for finding in known if finding.severity != "hint"}
    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for one in checks:
        if said.intersection(one.silenced_by) or any(examined.missing(need) for need in one.needs):
            continue
        try:
            finding = one.run(examined)
        except OutOfTime:
            skipped[one.name] = f"{examined.seconds:g} s were over"
        except Exception as error:
            skipped[one.name] = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        else:
            if finding is not None:
                findings.append(finding)
                said |= {finding.check} if finding.severity != "hint" else set()
    return findings + ([_not_examined(skipped)] if skipped else [])


def _not_examined(skipped: dict[str, str]) -> Finding:
    return Finding(
        "not_examined",
        "hint",
        f"{len(skipped)} checks could not look: {', '.join(skipped)}",
        dict(skipped),
        "pass a larger seconds=, and let the model take any batch size",
    )


def found(check: str, severity: Severity, message: str, remedy: str, **evidence: Any) -> Finding:
    """Return a finding; floats in ``evidence`` are rounded to six digits."""
    return Finding(check, severity, message, {key: _plain(value) for key, value in evidence.items()}, remedy)


def thin(values: Sequence[float], most: int = 80) -> list[float]:
    """Return at most so many values, spread evenly, first and last among them: what a picture of a curve needs."""
    if len(values) <= most:
        return list(values)
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    return float(f"{number:.6g}") if number == number and abs(number) != float("inf") else str(number)
