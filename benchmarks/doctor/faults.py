"""The table of faults: what was done to a sound program, in which tasks, and which checks name it."""

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.doctor.lessons import TASKS
from benchmarks.doctor.programs import CELLS, Lesson, Program

Builder = Callable[[str, str], Lesson]
FAULTY: list[Program] = []


def fault(
    *expects: str, tasks: Sequence[str] = TASKS, cells: Sequence[str] = tuple(CELLS)
) -> Callable[[Builder], Builder]:
    """Enter ``build(cell, task)`` into the corpus, once a cell and task, under its own name."""

    def enter(build: Builder) -> Builder:
        for cell in cells:
            for task in tasks:
                FAULTY.append(Program(f"{build.__name__}/{cell}/{task}", expects, partial(build, cell, task)))
        return build

    return enter
