"""*Watch it*: start a study of the lab or a training on a file of one's own, see it move, stop it, go on with it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from nicegui import run as threads
from nicegui import ui

from rnnlab.config import Config, ModelConfig, TrainConfig
from rnnlab.data import DataConfig
from rnnlab.errors import InputError, RnnlabError
from rnnlab.studies.lab import STUDIES
from rnnlab.task_config import TaskConfig
from rnnlab.tasks.from_config import BUILT_IN, read_source, task_name
from rnnlab.training.fit import fresh_folder
from rnnlab.web.page.form import Form
from rnnlab.web.page.frame import Said, frame, section
from rnnlab.web.page.guessing import Guess, describe
from rnnlab.web.page.jobs import Job, Jobs, flags
from rnnlab.web.page.receiving import Keeps, Kept, receiving, without
from rnnlab.web.page.runs import Runs
from rnnlab.web.page.study_form import StudyForm
from rnnlab.web.page.watching import watch

MAIN = {
    "strings": ("text", "target"),
    "wide": ("steps", "target", "kind"),
    "long": ("id", "time", "features", "target"),
    "series": ("time", "value", "horizon", "aggregate"),
}
UNFINISHED = ("interrupted", "training")


def add(folder: Path, runs: Runs, jobs: Jobs, uploads: Keeps) -> None:
    """Add the page at ``/watch``."""

    @ui.page("/watch", title="Watch it - rnnlab")
    async def watch_page(request: Request) -> None:
        with frame(request, "/watch"):
            await Watching(folder, runs, jobs, uploads).build()


class Watching:
    """One visitor's view of the page."""

    def __init__(self, folder: Path, runs: Runs, jobs: Jobs, uploads: Keeps) -> None:
        self.folder, self.runs, self.jobs, self.uploads = folder.resolve(), runs, jobs, uploads

    async def build(self) -> None:
        """Put the page here: what runs, what can be started, what can be gone on with."""
        with ui.element("h1"):
            ui.label("Watch it")
        self.now = ui.element("div").props('aria-label="The training"')
        job = self.jobs.running() or (self.jobs.all[-1] if self.jobs.all else None)
        if job is not None:
            self._show(job)
        with ui.element("div").classes("two"):
            self._own()
            with ui.element("div"):
                self._built_in()
                self._study()
                self.unfinished = ui.element("div")
                await self._unfinished()

    def _show(self, job: Job) -> None:
        self.now.clear()
        with self.now:
            watch(job, self.runs, self._resume, self._unfinished)

    def _begin(self, title: str, arguments: list[str], folder: Path, said: Said, *, lab: bool = False) -> None:
        try:
            job = self.jobs.start(title, arguments, folder, lab=lab)
        except RnnlabError as error:
            said.wrong(str(error))
            return
        said.say("")
        self._show(job)
        ui.run_javascript("window.scrollTo({top: 0})")

    def _train(self, data: str, name: str, options: dict[str, Any], said: Said) -> None:
        """Train on ``data``, which the server has named and the visitor calls ``name``, with options that are checked here."""
        try:
            for config in (TaskConfig, ModelConfig, TrainConfig):
                config(**{key: value for key, value in options.items() if key in config.model_fields})
            words = flags(options)
        except InputError as error:
            said.wrong(str(error))
            return
        folder = fresh_folder(self.folder, f"{name}-{options.get('cell', 'gru')}")
        self._begin(folder.name, ["train", data, f"--name={name}", f"--out={folder}", "--json", *words], folder, said)

    def _resume(self, folder: Path) -> None:
        said = Said()
        self._begin(folder.name, ["train", f"--resume={folder}", "--json"], folder, said)

    def _own(self) -> None:
        with section("Train on a file of your own", "A table: CSV, TSV, JSON lines or Parquet, compressed or not."):
            receiving(self.uploads, self._confirm, forget=lambda: None)

    def _confirm(self, kept: Kept, guessed: Guess, said: Said) -> None:
        said.say(f"{kept.name}: {guessed.words}")
        ui.label("Are the columns what was guessed? Change what is not.").classes("note")
        found = Said("")

        def source() -> DataConfig:
            return DataConfig(data=str(kept.path), **columns())

        def columns() -> dict[str, Any]:
            return {name: value for form in forms for name, value in form.given().items()}

        async def check() -> None:
            go.disable()
            try:
                read = await threads.io_bound(read_source, source())
            except InputError as error:
                found.wrong(without(str(error), kept))
                return
            if read is not None:
                found.say(describe(read))
                go.enable()

        usual = MAIN[DataConfig(data=kept.name, **guessed.options).shape]
        rest = [name for name in DataConfig.model_fields if name not in (*usual, "data")]
        make = partial(Form, DataConfig, columns=guessed.columns, values=guessed.options, on_change=check)
        forms = [make(only=usual)]
        with ui.expansion("More about the columns").props("dense").classes("wide"):
            forms.append(make(only=rest))
        found.move(target_index=-1)
        more = _options()
        name = task_name(DataConfig(data=kept.name))
        go = _go("Train", lambda: self._train(str(kept.path), name, columns() | more(), said))
        ui.timer(0.01, check, once=True)

    def _built_in(self) -> None:
        with section("Train on built-in data", "17,986 surnames and their origins, or two years of a shop's sales."):
            data = ui.select(list(BUILT_IN), value="names", label="Data").props("outlined dense").classes("wide")
            horizon = (
                ui.input("horizon", value="7").props('outlined dense hint="Steps ahead to forecast."').classes("wide")
            )
            horizon.bind_visibility_from(data, "value", value="sales")
            more = _options()
            said = Said()

            def start() -> None:
                ahead = {"horizon": horizon.value} if data.value == "sales" else {}
                try:
                    DataConfig(data=data.value, **ahead)
                except InputError as error:
                    said.wrong(str(error))
                    return
                self._train(str(data.value), str(data.value), ahead | more(), said)

            _go("Train", start)

    def _study(self) -> None:
        with section("Run a study of the lab"):
            StudyForm(self.uploads, self._lab)

    def _lab(self, study: str, words: list[str], said: Said) -> None:
        folder = fresh_folder(self.folder, f"lab-{study}")
        title = f"the study {STUDIES[study].title}"
        self._begin(title, ["lab", study, f"--out={folder}", *words], folder, said, lab=True)

    async def _unfinished(self) -> None:
        """Show the runs that were broken off; a button each goes on with it."""
        running = self.jobs.running()
        found = await threads.io_bound(self.runs.list) or []
        self.unfinished.clear()
        left = [
            one for one in found if one.entry.status in UNFINISHED and (running is None or running.folder != one.folder)
        ]
        if not left:
            return
        with self.unfinished, section("Go on with a run that was broken off"):
            for one in left:
                with ui.row().classes("line"):
                    ui.label(one.id)
                    ui.button(f"Go on with {one.id}", on_click=lambda folder=one.folder: self._resume(folder)).props(
                        "outline dense no-caps"
                    )


def _options() -> Callable[[], dict[str, Any]]:
    """Put the options of examples, model and training here, folded; return what gives those that were filled in."""
    forms = []
    configs: dict[str, type[Config]] = {"Examples": TaskConfig, "Model": ModelConfig, "Training": TrainConfig}
    for title, config in configs.items():
        with ui.expansion(f"{title} options").props("dense").classes("wide"):
            ui.label("What is left empty is what trains well for the data.").classes("note")
            forms.append(Form(config))
    return lambda: {name: value for form in forms for name, value in form.given().items()}


def _go(title: str, work: Callable[[], Any]) -> ui.button:
    return ui.button(title, on_click=work, color=None).props("unelevated no-caps").classes("go")
