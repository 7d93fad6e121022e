"""`diagnose`: run the table of checks on a subject and return what they find, worst first."""

from collections.abc import Iterable
from typing import Any

from rnnlab.doctor.examination import Examination, OutOfTime
from rnnlab.doctor.guard import untouched
from rnnlab.doctor.subject import Subject, read_subject
from rnnlab.doctor.table import CHECKS, Check, in_order
from rnnlab.errors import ConfigError, suggest
from rnnlab.findings import Finding, worst_first


def diagnose(subject: Any, *, checks: Iterable[str] | None = None, seconds: float = 10.0) -> list[Finding]:
    """Return what is wrong with a training in plain PyTorch, worst first; an empty list where nothing was found.

    The model, the optimizer and every random state are left exactly as they were.

    Args:
        subject: any object with ``model, optimizer, loss, inputs, targets`` and what else `Subject` names.
        checks: names of checks; all of them where None.
        seconds: of probing at most; what did not fit is named by a hint ``not_examined``.

    Raises:
        InputError: the subject lacks something, or its model does not run.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from rnnlab.doctor import Subject, diagnose
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
        >>> other = nn.Linear(1, 1)
        >>> x = torch.randn(8, 4, 1)
        >>> lost = Subject(model, torch.optim.SGD(other.parameters(), lr=0.1), nn.MSELoss(), x, x.sum(1))
        >>> diagnose(lost, checks=["optimizer_misses_parameters"])[0].severity
        'error'
    """
    chosen = _choose(checks)
    if not seconds > 0:
        raise ConfigError(f"seconds must be above 0, got {seconds}; leave it out for 10")
    read = read_subject(subject)
    with untouched(read.model, read.optimizer):
        return worst_first(_examine(read, chosen, seconds))


def _choose(names: Iterable[str] | None) -> list[Check]:
    if names is None:
        return in_order(CHECKS)
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in CHECKS:
            raise ConfigError(f"checks must name {suggest(name, CHECKS)}, got {name!r}")
    return [one for one in in_order(CHECKS) if one.name in wanted]


def _examine(subject: Subject, checks: list[Check], seconds: float) -> list[Finding]:
    examination = Examination(subject, seconds)
    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for one in checks:
        known = {finding.check for finding in findings if finding.severity != "hint"}
        if known.intersection(one.silenced_by) or any(getattr(subject, need) is None for need in one.needs):
            continue
        try:
            finding = one.run(examination)
        except OutOfTime:
            skipped[one.name] = f"{seconds:g} s were over"
            continue
        except Exception as error:
            skipped[one.name] = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
            continue
        if finding is not None:
            findings.append(finding)
    return findings + ([_not_examined(skipped)] if skipped else [])


def _not_examined(skipped: dict[str, str]) -> Finding:
    return Finding(
        "not_examined",
        "hint",
        f"{len(skipped)} checks could not look: {', '.join(skipped)}",
        dict(skipped),
        "pass a larger seconds=, and let the model take any batch size",
    )
