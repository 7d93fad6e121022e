"""What the doctor says of the published variants, as the studies hand it on: findings as JSON types, by variant.

A run is examined as every run of rnnlab is; a program in plain PyTorch as anybody's is.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rnnlab.doctor import Subject, diagnose, examine
from rnnlab.findings import Finding
from rnnlab.runs import Run
from rnnlab.tasks import Task

Said = list[dict[str, Any]]
SECONDS = 5.0


def of_runs(task: Task, runs: Sequence[Run]) -> Said:
    """Return what is said of the first of ``runs``, and of others what is not said of it: each check once."""
    found: dict[str, Finding] = {}
    for run in runs:
        for finding in examine(run, task, seconds=SECONDS):
            found.setdefault(finding.check, finding)
    return [finding.to_dict() for finding in found.values()]


def of_program(subject: Subject, *checks: str) -> Said:
    """Return what these checks say of a program in plain PyTorch."""
    return [finding.to_dict() for finding in diagnose(subject, checks=checks, seconds=SECONDS)]


def by_variant(variant: str, said: Iterable[dict[str, Any]]) -> tuple[tuple[str, Finding], ...]:
    """Return findings as a study's result has them."""
    return tuple((variant, Finding(**record)) for record in said if record["check"] != "not_examined")
