"""Compiling ahead of time: what an installation does once, so that no training waits for it."""

from time import perf_counter

from rnnlab.kernels import steps, updates


def prepare() -> float:
    """Compile the kernels, or load them from disk, and return the seconds it took.

    The first call on a machine compiles, for 10 to 30 seconds; without this, the first training step does.
    """
    began = perf_counter()
    steps.forward()
    steps.backward()
    updates.updater()
    return perf_counter() - began
