"""Cells that check an answer: right, wrong with a sentence that helps, or not answered yet; never a traceback.

A check is a function that takes what a student wrote, raises `Wrong` with a sentence, or returns one; `task` makes an
`Outcome` of either, and of whatever the student's own code raises. This module knows no task.
"""

import dis
import inspect
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any, Literal

import torch

State = Literal["right", "wrong", "open"]
OPEN = "not answered yet: fill in the cell above, run it, then this one again"
_MARKS: dict[State, tuple[str, str]] = {"right": ("✓", "#1a8f68"), "wrong": ("✗", "#c4501b"), "open": ("○", "#808890")}
_PACKAGE = Path(__file__).parents[1]
_TRIVIAL = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}


class Wrong(Exception):
    """An answer is wrong; the message is a sentence that says what, and where to look."""


@dataclass(frozen=True)
class Outcome:
    """What a check says; shows itself as one line with a mark.

    Args:
        task: its title.
        state: ``right``, ``wrong`` or ``open``.
        message: one to three sentences.
    """

    task: str
    state: State
    message: str

    def __repr__(self) -> str:
        return f"{_MARKS[self.state][0]} {self.task}: {self.message}"

    def _repr_html_(self) -> str:
        mark, colour = _MARKS[self.state]
        return (
            f'<div style="border-left:4px solid {colour};padding:.4em .8em;margin:.3em 0">'
            f'<b style="color:{colour}">{mark} {escape(self.task)}</b> {escape(self.message)}</div>'
        )


Judge = Callable[..., str]


def task(title: str) -> Callable[[Judge], Callable[..., Outcome]]:
    """Make a check of a function that raises `Wrong` or returns a sentence; random draws in it leave no trace.

    Example:
        >>> @task("Two")
        ... def two(answer: int) -> str:
        ...     if answer != 2:
        ...         raise Wrong(f"{answer} is not two")
        ...     return "it is"
        >>> two(3), two(...)
        (✗ Two: 3 is not two, ○ Two: not answered yet: fill in the cell above, run it, then this one again)
    """

    def decorate(judge: Judge) -> Callable[..., Outcome]:
        @wraps(judge)
        def check(*answers: Any, **more: Any) -> Outcome:
            if any(is_open(answer) for answer in (*answers, *more.values())):
                return Outcome(title, "open", OPEN)
            try:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    return Outcome(title, "right", judge(*answers, **more))
            except Wrong as wrong:
                return Outcome(title, "wrong", str(wrong))
            except Exception as error:
                return Outcome(title, "wrong", _raised(error))

        return check

    return decorate


def is_open(answer: Any) -> bool:
    """Return whether an answer is still missing: ``...``, None, or a function or class whose body is ``...``.

    Example:
        >>> def blank(x): ...
        >>> is_open(blank), is_open(...), is_open(len), is_open(0)
        (True, True, False, False)
    """
    if answer is None or answer is Ellipsis:
        return True
    if isinstance(answer, tuple | list):
        return any(item is None or item is Ellipsis for item in answer)
    if isinstance(answer, dict):
        return not answer or any(item is None or item is Ellipsis for item in answer.values())
    if inspect.isfunction(answer):
        return _blank(answer)
    kind = answer if inspect.isclass(answer) else type(answer)
    if kind.__module__.split(".")[0] in ("torch", "builtins", "numpy", "rnnlab"):
        return False
    return any(_blank(value) for value in vars(kind).values() if inspect.isfunction(value))


def _blank(function: Any) -> bool:
    """Return whether a function does nothing but return None."""
    steps = list(dis.get_instructions(function))
    constants = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in _TRIVIAL for step in steps) and constants == [None]


def _raised(error: Exception) -> str:
    """Return what the student's code raised, and the last line of it that the student wrote."""
    first = " ".join(str(error).split())[:240]
    said = f"your code raised {type(error).__name__}: {first}" if first else f"your code raised {type(error).__name__}"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(_PACKAGE)
        and "site-packages" not in frame.filename
        and not frame.filename.startswith("<frozen")
    ]
    if not own:
        return f"{said}."
    line = (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip()
    return f"{said} (in {own[-1].name}, line {own[-1].lineno}: {line})."
