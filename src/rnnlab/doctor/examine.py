"""`examine`: what every run of rnnlab asks of itself when its training is over.

Cheap by design: the history, the data, one batch of the network. It changes nothing, draws nothing from the generators that
training draws from, and never fails: a training is not lost to its examination.
"""

from collections.abc import Sequence

from rnnlab.doctor import case_data, case_learning, case_network
from rnnlab.doctor.case import Case
from rnnlab.doctor.registry import RUN_CHECKS, in_order, run_checks
from rnnlab.findings import Finding, worst_first
from rnnlab.runs import Run
from rnnlab.tasks import Task

CASE_MODULES = (case_data, case_learning, case_network)
LEAST_SECONDS, SHARE = 1.0, 0.04


def examine(run: Run, task: Task | None, *, seconds: float | None = None) -> tuple[Finding, ...]:
    """Return the run's findings, worst first: those that it has already, and those of its examination.

    Args:
        run: as training leaves it, with its baselines in ``data`` where there are any.
        task: what it was trained on; None where the data are not at hand: then its history alone is looked at.
        seconds: of probing at most; 4% of the time of the training, and at least one, where None.

    Example:
        >>> from rnnlab.config import ModelConfig, TrainConfig
        >>> from rnnlab.data import library
        >>> from rnnlab.tasks import everything_trains, from_numbers
        >>> from rnnlab.training import train
        >>> task = from_numbers(library.binary("features"), splits=everything_trains(256))
        >>> run = train(task, ModelConfig(hidden_size=4), TrainConfig(max_steps=2))[0]
        >>> [finding.check for finding in examine(run, task)]
        ['one_step_sequence']
    """
    if run.status in ("interrupted", "training"):
        return run.findings
    case = Case(run, task, max(LEAST_SECONDS, SHARE * run.seconds) if seconds is None else seconds)
    return merged(run.findings, run_checks(in_order(RUN_CHECKS), case, run.findings))


def merged(known: Sequence[Finding], more: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings worst first; of two of one check the later one stands."""
    by_check = {finding.check: finding for finding in (*known, *more)}
    return tuple(worst_first(by_check.values()))
