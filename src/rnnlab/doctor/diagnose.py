"""`diagnose`: run the table of checks on a subject and return what they find, worst first."""

from collections.abc import Iterable
from typing import Any

from rnnlab.doctor.examination import Examination
from rnnlab.doctor.guard import untouched
from rnnlab.doctor.registry import run_checks
from rnnlab.doctor.subject import read_subject
from rnnlab.doctor.table import CHECKS, Check, ordered
from rnnlab.errors import ConfigError, suggest
from rnnlab.findings import Findings, worst_first


def diagnose(subject: Any, *, checks: Iterable[str] | None = None, seconds: float = 10.0) -> Findings:
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
        return worst_first(run_checks(chosen, Examination(read, seconds)))


def _choose(names: Iterable[str] | None) -> list[Check]:
    if names is None:
        return ordered(CHECKS)
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in CHECKS:
            raise ConfigError(f"checks must name {suggest(name, CHECKS)}, got {name!r}")
    return [one for one in ordered(CHECKS) if one.name in wanted]
