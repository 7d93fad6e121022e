"""What a comparison leaves: every figure of every seed, pairs with their statistics, and sentences. JSON types all through."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rnnlab.display import Displayed
from rnnlab.runs.files import finite

Outcome = Literal["beats", "loses", "indistinguishable", "too few seeds"]


@dataclass(frozen=True)
class Tried:
    """One learning rate while tuning: the mean of the validation metric over the tuning seeds, None where one diverged."""

    lr: float
    score: float | None
    loss: float | None
    diverged: int


@dataclass(frozen=True)
class Seed:
    """One run of a cell: its status, and its metrics on the test part (None where it diverged)."""

    seed: int
    status: str
    metrics: dict[str, float] | None


@dataclass(frozen=True)
class CellResult:
    """One cell, tuned and trained.

    Args:
        cell: its name.
        title: for people.
        hidden_size: units a layer.
        weights: of one run.
        lr: the rate chosen on the validation part.
        tried: all rates.
        seeds: one entry a seed.
        seconds: of training, tuning included.
    """

    cell: str
    title: str
    hidden_size: int
    weights: int
    lr: float
    tried: tuple[Tried, ...]
    seeds: tuple[Seed, ...]
    seconds: float

    @property
    def sound(self) -> dict[int, dict[str, float]]:
        """The metrics of the seeds that did not diverge, by seed."""
        return {one.seed: one.metrics for one in self.seeds if one.metrics is not None}

    def values(self, metric: str) -> list[float]:
        """Return a metric of the seeds that did not diverge."""
        return [metrics[metric] for metrics in self.sound.values()]

    @property
    def at_edge(self) -> bool:
        """Whether the rate is an end of the grid, so that a better one may lie outside."""
        return len(self.tried) > 1 and self.lr in (self.tried[0].lr, self.tried[-1].lr)


@dataclass(frozen=True)
class Pair:
    """One against another on the same seeds.

    Args:
        first, second: titles; ``second`` may be a baseline.
        mean: how much better ``first`` is, in the metric's unit; negative where it is worse.
        low, high: the 95% interval over seeds; None with fewer than two.
        p: of the paired t-test, two-sided; None likewise.
        p_holm: corrected over all pairs of the comparison; None with too few seeds.
        p_ranks: of Wilcoxon's test, uncorrected, for those who doubt the t-test.
        examples: the 95% interval over test examples instead of seeds; None where the two share no seed.
        count: seeds that both have.
        outcome: of ``first``.
    """

    first: str
    second: str
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    p_ranks: float | None
    examples: tuple[float, float] | None
    count: int
    outcome: Outcome


@dataclass(frozen=True)
class Against:
    """A baseline: its name, its title in a table and in a sentence, and its metrics on the test part."""

    name: str
    title: str
    spoken: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Comparison(Displayed):
    """Cells against each other and against baselines.

    Args:
        task: a short name of the data.
        kind: ``classify``, ``regress`` or ``forecast``.
        metric: what is judged, on the test part: ``macro_f1``, ``mae``, or ``mase`` of several series.
        higher_is_better: of the metric.
        cells: those that are done, in the order asked for.
        baselines: all, the simplest first.
        strongest: name of the best baseline on the test part, which is the one to beat.
        pairs: cells against cells.
        against: cells against the strongest baseline.
        verdicts: the sentences.
        notes: what a reader has to know of how it came about.
        complete: False where it was interrupted.
        seconds: it took.
        settings: what was asked.
        data: examples a part, provenance, fingerprint.

    Example:
        >>> Comparison("names", "classify", "macro_f1", True, verdicts=("No network beats the n-gram baseline.",)).to_dict()["kind"]
        'classify'
    """

    task: str
    kind: str
    metric: str
    higher_is_better: bool
    cells: tuple[CellResult, ...] = ()
    baselines: tuple[Against, ...] = ()
    strongest: str = ""
    pairs: tuple[Pair, ...] = ()
    against: tuple[Pair, ...] = ()
    verdicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; figures that are not finite become null."""
        return dict(finite(asdict(self)))
