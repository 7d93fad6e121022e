"""Findings on the terminal: worst first, a few lines each; and the exit code that ``--strict`` makes of them."""

import math
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rnnlab.findings import Finding

COLOURS = {"error": "bold red", "warning": "yellow", "hint": "cyan"}
BARS = "▁▂▃▄▅▆▇█"
STRICT = 3
INDENT = (0, 0, 0, 2)


def print_findings(
    findings: Sequence[Finding], *, most: int | None = None, more: str = "", file: TextIO | None = None
) -> None:
    """Print findings, worst first as they come.

    Args:
        findings: from the doctor.
        most: how many are shown; all where None.
        more: where the others can be read.
        file: stdout where None.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=file or sys.stdout, highlight=False)
    shown = findings if most is None else findings[:most]
    for finding in shown:
        console.print(Text.assemble((f"{finding.severity:<8}", COLOURS[finding.severity]), (finding.check, "bold")))
        console.print(Padding(Text(finding.message), INDENT, expand=False))
        curve = finding.evidence.get("norms_by_step")
        if isinstance(curve, list) and len(curve) > 1:
            console.print(
                Padding(Text(f"gradient by step, first to last: {_spark(curve)}", style="dim"), INDENT, expand=False)
            )
        if finding.remedy:
            console.print(Padding(Text(f"→ {finding.remedy}", style="green"), INDENT, expand=False))
    if len(findings) > len(shown):
        console.print(Text(f"and {len(findings) - len(shown)} more: {more}"))


def count_findings(findings: Sequence[Finding]) -> str:
    """Return how many findings of each severity there are, in words; nothing where there are none."""
    counts = [(sum(one.severity == severity for one in findings), severity) for severity in COLOURS]
    return ", ".join(f"{count} {severity}{'s' if count != 1 else ''}" for count, severity in counts if count)


def strict_code(findings: Sequence[Finding], strict: bool) -> int:
    """Return 3 where ``strict`` and there is an error or a warning, else 0."""
    return STRICT if strict and any(finding.severity != "hint" for finding in findings) else 0


def _spark(norms: list[Any], width: int = 60) -> str:
    """Return norms as a line of bars, their logarithm from 1e-6 (or below) to 1."""
    picked = [float(norms[i * len(norms) // min(width, len(norms))]) for i in range(min(width, len(norms)))]
    shares = [(math.log10(norm) + 6) / 6 if math.isfinite(norm) and norm > 1e-6 else 0.0 for norm in picked]
    return "".join(BARS[round(min(share, 1.0) * (len(BARS) - 1))] for share in shares)
