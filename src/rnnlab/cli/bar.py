"""A bar that says how far a verb is and how long it will take; a line at every tenth where there is no terminal."""

from types import TracebackType
from typing import Self


class Bar:
    """A progress bar on stderr, to be entered; silent with ``quiet``."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=True),
        )  # fmt: skip
        self._quiet, self._said = quiet, 0.0
        self._console = Console(stderr=True)
        hidden = quiet or not self._console.is_terminal
        self._progress = Progress(*columns, console=self._console, disable=hidden, transient=True)
        self._task = self._progress.add_task("starting", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if not self._quiet:
            self._console.print(line, highlight=False, soft_wrap=True)

    def show(self, title: str, spent: float) -> None:
        """Show that a share ``spent`` (0..1) is done, and what is being done."""
        self._progress.update(self._task, completed=spent, description=title)
        if not self._console.is_terminal and spent >= self._said + 0.1:
            self._said = spent
            self.say(f"{spent:.0%}  {title}")
