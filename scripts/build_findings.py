"""Write the part of docs/doctor.md that explains every finding: ``python scripts/build_findings.py``.

What a check looks for is its docstring; the example is what the doctor says of a training that has the fault (the trainings of
``tests/doctor``), its message, evidence and remedy as they come out. A test holds the page against the tables of checks.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.doctor import faults, run_faults  # noqa: E402

from rnnlab.doctor import CHECKS, RUN_CHECKS, diagnose, examine  # noqa: E402
from rnnlab.findings import Finding  # noqa: E402

PAGE = ROOT / "docs" / "doctor.md"
BEGIN, END = "<!-- findings: begin -->", "<!-- findings: end -->"
LONGEST = 60


def main() -> None:
    """Write the page anew between its two marks."""
    torch.set_num_threads(1)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(entries()) + f"\n{END}{after}")


def entries() -> Iterator[str]:
    """Yield the lines of every finding, by name."""
    programs, runs = of_programs(), of_runs()
    for name in sorted({*programs, *runs}):
        yield f"#### `{name}`\n"
        for where, found, table in (("Your own code", programs, CHECKS), ("A run of rnnlab's", runs, RUN_CHECKS)):
            if name in found:
                what, finding = found[name]
                about = (table.get(name) or table["curves"]).about
                yield f"*{where}.* {about}\n"
                yield f"> {what}: **{finding.severity}** {finding.message}\n>"
                yield f"> evidence: {evidence(finding)}\n>"
                yield f"> do: `{finding.remedy}`\n"


def of_programs() -> dict[str, tuple[str, Finding]]:
    """Return, by name, what was done wrong in plain PyTorch and what was found."""
    found: dict[str, tuple[str, Finding]] = {}
    for what, (name, make) in faults.FAULTS.items():
        if name not in found:
            entry = "curves" if name in ("overfitting", "underfitting") else name
            said = diagnose(make("lstm"), checks=[entry, *CHECKS[entry].silenced_by], seconds=60)
            found[name] = what, next(one for one in said if one.check == name)
    return found


def of_runs() -> dict[str, tuple[str, Finding]]:
    """Return, by name, what was done wrong in a run and what was found."""
    found: dict[str, tuple[str, Finding]] = {}
    for what, (name, make) in run_faults.RUN_FAULTS.items():
        if name not in found:
            found[name] = what, next(one for one in examine(*make(), seconds=60) if one.check == name)
    return found


def evidence(finding: Finding) -> str:
    """Return the evidence as a line: names, and values where they are short."""
    said = []
    for name, value in finding.evidence.items():
        shown = re.sub(r"\s+", " ", str(value))
        said.append(f"`{name}` {shown}" if len(shown) <= LONGEST else f"`{name}` (a curve or a list)")
    return ", ".join(said)


if __name__ == "__main__":
    main()
