"""What stands around every page: the three ways in, light and dark, and a line that says what is going on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from fastapi import Request
from nicegui import ui

from rnnlab.reports.palette import THEMES

PLACES = {"/": "Try it", "/watch": "Watch it", "/compare": "Compare it"}
CHOICES: dict[str, bool | None] = {"auto": None, "light": False, "dark": True}
COOKIE = "rnnlab-theme"


class Said(ui.label):
    """A line that says in words what is going on; a screen reader reads it when it changes."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.classes("said").props("role=status aria-live=polite")

    def wrong(self, text: str) -> None:
        """Say that something went wrong."""
        self.classes(add="wrong").set_text(text)

    def say(self, text: str) -> None:
        """Say what is going on."""
        self.classes(remove="wrong").set_text(text)


@contextmanager
def frame(request: Request, here: str) -> Iterator[None]:
    """Yield the main part of a page; ``here`` is its path."""
    ui.add_head_html(f"<style>{stylesheet()}</style>")
    chosen = request.cookies.get(COOKIE, "auto")
    dark = ui.dark_mode(CHOICES.get(chosen))
    with ui.element("a").props('href="#content"').classes("skip"):
        ui.label("Skip to the content")
    with ui.header(fixed=False).classes(replace="bar"):
        with ui.element("nav").props('aria-label="Pages"'):
            ui.label("rnnlab").classes("brand")
            for path, title in PLACES.items():
                link = ui.link(title, path)
                if path == here:
                    link.props("aria-current=page")
        ui.toggle(
            list(CHOICES),
            value=chosen if chosen in CHOICES else "auto",
            on_change=lambda event: _dress(dark, event.value),
        ).props('dense unelevated no-caps aria-label="Colours"').classes("theme")
    with ui.element("div").props("id=content tabindex=-1"):
        yield


def section(title: str, note: str = "") -> ui.element:
    """Return a titled part of the page to put things into."""
    part = ui.element("section")
    with part:
        with ui.element("h2"):
            ui.label(title)
        if note:
            ui.label(note).classes("note")
    return part


@cache
def stylesheet() -> str:
    """Return the CSS: the palette as variables of both themes, and what the page looks like."""
    dressed = [
        f"body.body--{name}{{{';'.join(f'--{key}:{colour}' for key, colour in theme.variables().items())}}}"
        for name, theme in THEMES.items()
    ]
    return "".join(dressed) + (files("rnnlab.web.page") / "style.css").read_text(encoding="utf-8")


def _dress(dark: ui.dark_mode, chosen: str) -> None:
    dark.set_value(CHOICES[chosen])
    # A choice of three words; the server reads it when the next page is built.
    ui.run_javascript(f"document.cookie = '{COOKIE}={chosen}; path=/; max-age=31536000; samesite=strict'")
