"""Several threads for one compiled function: they draw tasks from a counter in its job, without a barrier.

The threads are those that torch's own operations run on (GNU OpenMP), entered as a compiler would enter them. A second
set would fight with them: OpenMP's threads wait for work by spinning for milliseconds, on the cores that ours would need. Where
torch is built on something else, or after a fork (which OpenMP's threads do not survive), Python threads serve. One worker
means no thread at all. Who draws which task does not change a result.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import threadpoolctl
import torch


def work_together(function: int, job: int, workers: int) -> None:
    """Call the C function at address ``function`` with the address ``job``, in ``workers`` threads, this one included.

    It must draw its tasks from a counter in the job, and return when none is left.
    """
    if workers <= 1:
        _as_callable(function)(job)
    elif (enter := _openmp()) is not None and not _pool.forked:
        enter(function, job, workers, 0)
    else:
        _pool.share(_as_callable(function), job, workers)


@cache
def _as_callable(function: int) -> Callable[[int], None]:
    # Foreign functions let go of the interpreter lock while they run.
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)


@cache
def _openmp() -> Any:
    """Return ``GOMP_parallel(function, data, threads, flags)`` of the OpenMP that torch uses, or None."""
    home = Path(torch.__file__).parent
    found = threadpoolctl.ThreadpoolController().select(user_api="openmp").lib_controllers
    ours = [library for library in found if home in Path(library.filepath).parents]
    for library in ours or (found if len(found) == 1 else []):
        enter = getattr(ctypes.CDLL(library.filepath), "GOMP_parallel", None)
        if enter is not None:
            enter.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
            enter.restype = None
            return enter
    return None


class _Pool:
    """Python threads that outlive a call; a forked child starts with none."""

    def __init__(self) -> None:
        self.forked = False
        self._reset()

    def _reset(self) -> None:
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None
        self.size = 0

    def after_fork(self) -> None:
        self.forked = True
        self._reset()

    def share(self, call: Callable[[int], None], job: int, workers: int) -> None:
        with self.lock:
            if self.executor is None or self.size < workers - 1:
                if self.executor is not None:
                    self.executor.shutdown(wait=False)
                self.executor, self.size = ThreadPoolExecutor(workers - 1, "rnnlab-kernel"), workers - 1
            helpers = [self.executor.submit(call, job) for _ in range(workers - 1)]
        try:
            call(job)
        finally:
            # All tasks are drawn: a helper that has not begun is not needed any more.
            for helper in helpers:
                if not helper.cancel():
                    helper.result()


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.after_fork)
