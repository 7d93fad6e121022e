"""The engine: jobs, most of them stacks of runs, done in this process, over the cores, or on a cluster.

Comparison, studies and sweeps make jobs and read outcomes; where they are done is decided here.
"""

from rnnlab.engine.jobs import Engine, Event, Here, Job, Progress, Tell
from rnnlab.engine.processes import Processes

__all__ = ["Engine", "Event", "Here", "Job", "Processes", "Progress", "Tell"]
