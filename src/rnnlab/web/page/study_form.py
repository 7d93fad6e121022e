"""A study of the lab, chosen and begun: on the built-in data, or on a file of one's own where the study takes one."""

from collections.abc import Callable
from typing import Any

from nicegui import run as threads
from nicegui import ui

from rnnlab.data import DataConfig
from rnnlab.errors import InputError
from rnnlab.studies.lab import STUDIES
from rnnlab.web.page.form import Form
from rnnlab.web.page.frame import Said
from rnnlab.web.page.guessing import Guess, describe
from rnnlab.web.page.receiving import Keeps, Kept, receiving, without
from rnnlab.web.page.study_data import FIELDS, KINDS, check, words

SIZES = {
    "smoke": "smoke: seconds, to see it move",
    "quick": "quick: under three minutes for all four",
    "full": "full: hours",
}
GUESSED = ("text", "target", "time", "value")
Begin = Callable[[str, list[str], Said], None]


class StudyForm:
    """The fields of a study, here.

    Args:
        uploads: keeps a file of one's own.
        begin: called with the study, the words for ``rnnlab lab`` beyond where it writes, and where to say what went wrong.
    """

    def __init__(self, uploads: Keeps, begin: Begin) -> None:
        self.uploads, self.begin = uploads, begin
        self.kept: Kept | None = None
        titles = {name: one.title for name, one in STUDIES.items()}
        self.study = ui.select(titles, value="binary", label="Study", on_change=self._choose)
        self.size = ui.select(SIZES, value="smoke", label="Size", on_change=self._check)
        for field in (self.study, self.size):
            field.props("outlined dense").classes("wide")
        self.own = ui.element("div")
        self.said = Said()
        self.go = ui.button("Run the study", on_click=self._begin, color=None).props("unelevated no-caps")
        self.go.classes("go")

    def _choose(self) -> None:
        """Ask for a file where the study takes one."""
        self.own.clear()
        self._forget()
        if self.study.value in FIELDS:
            with self.own:
                ui.label(f"{KINDS[self.study.value]}; without a file, the built-in data.").classes("note")
                receiving(self.uploads, self._show, forget=self._forget)

    def _forget(self) -> None:
        self.kept = None
        self.said.say("")
        self.go.enable()

    def _show(self, kept: Kept, guessed: Guess, said: Said) -> None:
        self.kept, self.found = kept, Said()
        fields = FIELDS[self.study.value]
        values = {name: guessed.options[name] for name in GUESSED if name in fields and name in guessed.options}
        self.form = Form(DataConfig, columns=guessed.columns, values=values, only=fields, on_change=self._check)
        self.found.move(target_index=-1)
        said.say(f"{kept.name}: are the columns what was guessed? What is left empty is found.")
        ui.timer(0.01, self._check, once=True)

    async def _check(self) -> None:
        """Say what the study would be run on, or why it cannot be."""
        kept = self.kept
        if kept is None:
            return
        self.go.disable()
        asked: tuple[Any, ...] = (self.study.value, self.size.value, kept.path, self.form.given())
        try:
            source = await threads.io_bound(check, *asked)
        except InputError as error:
            self.found.wrong(without(str(error), kept))
            return
        if source is not None and self.kept is kept:
            self.found.say(describe(source))
            self.go.enable()

    def _begin(self) -> None:
        study = str(self.study.value)
        own = [] if self.kept is None else words(study, self.kept.path, self.form.given())
        self.begin(study, [f"--size={self.size.value}", *own], self.said)
