"""Comparison: cells under equal budgets on paired seeds, against each other and against baselines; a verdict, not a table."""

from rnnlab.comparison.comparing import Comparing, Progress, compare, prepare
from rnnlab.comparison.result import Comparison
from rnnlab.comparison.settings import ComparisonConfig

__all__ = ["Comparing", "Comparison", "ComparisonConfig", "Progress", "compare", "prepare"]
