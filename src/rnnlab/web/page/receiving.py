"""A file that a visitor uploads: kept under a name of the server's, looked at, and handed on; or refused in words."""

from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Any, Protocol

from nicegui import events, ui
from nicegui import run as threads

from rnnlab.errors import InputError
from rnnlab.results import Table
from rnnlab.web.page.drawing import table
from rnnlab.web.page.frame import Said
from rnnlab.web.page.guessing import Guess, guess


class Kept(Protocol):
    """A file that was uploaded."""

    @property
    def path(self) -> Path: ...
    @property
    def name(self) -> str: ...


class Keeps(Protocol):
    """Where uploads go: one folder, names of the server's own."""

    async def save(self, name: str, chunks: AsyncIterable[bytes]) -> Kept:
        """Return the file that was kept; raise an InputError in words where it cannot be."""
        ...

    def remove(self, upload: Any) -> None:
        """Delete a file that is of no use."""
        ...


def receiving(uploads: Keeps, show: Callable[[Kept, Guess, Said], None], *, forget: Callable[[], None]) -> None:
    """Put a place for a file here, and below it its first rows and what ``show`` makes of it.

    Args:
        uploads: keeps it.
        show: called with the file, what its columns may be, and the line that says what is going on.
        forget: called when another file comes, whatever will be said of it.
    """
    said = Said()
    upload = ui.upload(label="Choose a file, or drop it here", auto_upload=True, max_files=1).props("flat bordered")
    upload.classes("wide upload")
    place = ui.element("div")

    async def receive(event: events.UploadEventArguments) -> None:
        place.clear()
        forget()
        said.say(f"Keeping {event.file.name} and looking at its columns ...")
        kept: Kept | None = None
        try:
            kept = await uploads.save(event.file.name, event.file.iterate())
            guessed = await threads.io_bound(guess, kept.path)
        except InputError as error:
            said.wrong(without(str(error), kept))
            if kept is not None:
                uploads.remove(kept)
        else:
            if guessed is not None:
                with place:
                    rows = Table("rows", "Its first rows", guessed.columns, guessed.sample)
                    ui.html(table(rows), sanitize=False).classes("table-holder")
                    show(kept, guessed, said)
        upload.reset()

    upload.on_upload(receive)
    upload.on(
        "failed",
        lambda: said.wrong("The server did not take the file: it is too large, or there is no room for it."),
    )


def without(message: str, kept: Kept | None) -> str:
    """Return a message with the name that the visitor gave instead of the place on the server."""
    return message if kept is None else message.replace(str(kept.path), kept.name)
