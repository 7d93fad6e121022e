"""Several threads for one piece of compiled work: they draw tasks from a shared counter, without a barrier.

The threads are Python's, running code that has let go of the interpreter lock: numba's own default threads abort the
process when two callers meet. One worker means no thread at all. Who draws which task does not change a result:
tasks write to places of their own.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from rnnlab.kernels.compiling import inlined


@intrinsic  # type: ignore[untyped-decorator]
def _fetch_add(_context: Any, address: Any) -> Any:
    """Emit an atomic ``(*address)++`` that returns the value before."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        place = builder.inttoptr(given[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.intp), generate


@inlined
def draw(counter):  # type: ignore[no-untyped-def]
    """Return the next task's number from ``counter (1,) int64``; each number is drawn once."""
    return _fetch_add(counter.ctypes.data)


class _Pool:
    """Threads that outlive a call; a forked child starts with none."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None
        self.size = 0

    def submit(self, job: Callable[[], None], count: int) -> list[Future[None]]:
        with self.lock:
            if self.executor is None or self.size < count:
                if self.executor is not None:
                    self.executor.shutdown(wait=False)
                self.executor, self.size = ThreadPoolExecutor(count, "rnnlab-kernel"), count
            helpers = []
            with suppress(RuntimeError):  # the interpreter is going down: the caller works alone
                for _ in range(count):
                    helpers.append(self.executor.submit(job))
            return helpers


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.forget)


def work_together(job: Callable[[], None], workers: int) -> None:
    """Run ``job`` in ``workers`` threads, this one included; it must draw its tasks from a counter of its own.

    A helper that has not begun when all tasks are drawn is not waited for.
    """
    if workers <= 1:
        job()
        return
    helpers = _pool.submit(job, workers - 1)
    try:
        job()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()
