"""`examine`: what every run of rnnlab asks of itself, while it trains and when its training is over.

Cheap by design: the history, the data, one batch of the network. It changes nothing, draws nothing from the generators that
training draws from, and never fails: a training is not lost to its examination.
"""

from collections.abc import Iterable

from rnnlab.doctor import case_data, case_learning, case_network
from rnnlab.doctor.case import MIDWAY, Case
from rnnlab.doctor.registry import RUN_CHECKS, in_order, run_checks
from rnnlab.findings import Finding, worst_first
from rnnlab.runs import Run
from rnnlab.tasks import Task

CASE_MODULES = (case_data, case_learning, case_network)
LEAST_SECONDS, SHARE = 1.0, 0.04
LEAST_MIDWAY, SHARE_MIDWAY = 0.2, 0.01


def examine(run: Run, task: Task | None, *, seconds: float | None = None) -> tuple[Finding, ...]:
    """Return the run's findings, worst first: those that it has already, and those of its examination.

    Args:
        run: as training leaves it, with its baselines in ``data`` where there are any; one that is not over (``training``,
            ``interrupted``) is judged as far as can be told by then, and without a look at how it does on the test part.
        task: what it was trained on; None where the data are not at hand: then its history alone is looked at.
        seconds: of probing at most; 4% of the time of the training, and at least one, where None; 1% and 0.2 of one that is not over.

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
    midway = run.status in MIDWAY
    least, share = (LEAST_MIDWAY, SHARE_MIDWAY) if midway else (LEAST_SECONDS, SHARE)
    case = Case(run, task, max(least, share * run.seconds) if seconds is None else seconds)
    said = run_checks(in_order(RUN_CHECKS), case, run.findings)
    return merged(run.findings, filter(_told_midway, said) if midway else said)


def _told_midway(finding: Finding) -> bool:
    """Whether a finding can be told before the end; what found no time yet will."""
    return finding.check in RUN_CHECKS and not RUN_CHECKS[finding.check].at_the_end


def merged(known: Iterable[Finding], more: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings worst first; of two of one check the later one stands."""
    by_check = {finding.check: finding for finding in (*known, *more)}
    return tuple(worst_first(by_check.values()))
