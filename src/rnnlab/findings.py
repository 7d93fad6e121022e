"""A Finding: one thing that was found wrong with a training, with its evidence and what to do.

Training reports divergence as a finding, the doctor reports everything else; reports and the command line
show them. This module knows neither of them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rnnlab.display import Displayed

Severity = Literal["error", "warning", "hint"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "hint")


@dataclass(frozen=True)
class Finding(Displayed):
    """One thing that is wrong, or may be.

    Args:
        check: the name of the check, ``snake_case``, stable across versions (``optimizer_misses_parameters``).
        severity: ``error`` (the result cannot be trusted), ``warning`` (it probably suffers), ``hint``.
        message: one sentence that says what was found.
        evidence: the numbers behind it; JSON types only.
        remedy: what to change, a line of code where possible.
    """

    check: str
    severity: Severity
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON types."""
        return asdict(self)


class Findings(list[Finding], Displayed):
    """A list of findings that shows itself as cards in a notebook.

    Example:
        >>> Findings([Finding("dead_relu", "error", "the output is 0")]).loud[0].check
        'dead_relu'
    """

    @property
    def loud(self) -> list[Finding]:
        """The errors and warnings; hints are no alarm."""
        return [finding for finding in self if finding.severity != "hint"]


def worst_first(findings: Iterable[Finding]) -> Findings:
    """Return the findings sorted by severity, ``error`` first; the order within a severity is kept."""
    return Findings(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
