"""A text run, asked: with every key the probabilities, what carried the answer, and the hidden state."""

import numpy as np
from nicegui import ui

from rnnlab.errors import InputError
from rnnlab.results import Table
from rnnlab.runs import Run
from rnnlab.web.page.drawing import bars, heat, marked, percent
from rnnlab.web.page.frame import Said, section
from rnnlab.web.page.inside import LONGEST, TextReading, read_text
from rnnlab.web.page.numbers import numbers

FIRST = {"names": "Kowalczyk"}


def show(run: Run) -> None:
    """Put the field, and the three pictures that follow it, here."""
    first = FIRST.get(str(run.data.get("name")), "")
    with ui.element("div").classes("big"):
        field = ui.input("Type a text", value=first).props(
            f"outlined maxlength={LONGEST} autofocus autocomplete=off spellcheck=false"
        )
        field.classes("wide")
    said = Said()
    with ui.element("div").classes("two"):
        with section("Probabilities"):
            chances = ui.html("", sanitize=False)
            numbers(lambda: _chances(run, field.value))
        with section(
            "What carried the answer",
            "Each character is hidden in turn (occlusion): percentage points that the answer's probability loses. "
            "Blue carried the answer, orange spoke against it.",
        ):
            carried = ui.html("", sanitize=False)
            numbers(lambda: _carried(run, field.value))
    with section(
        "Hidden state",
        f"Of the last layer, a row a character, a column a unit{_directions(run)}: blue above zero, orange below.",
    ):
        states = ui.html("", sanitize=False)
        numbers(lambda: _states(run, field.value))

    def follow() -> None:
        try:
            reading = read_text(run, field.value or "")
        except InputError as error:
            said.say("Type something, and see what the network makes of it." if not field.value else str(error))
            for picture in (chances, carried, states):
                picture.set_content("")
            return
        said.say(sentence(reading))
        chances.set_content(bars(reading.labels, reading.probabilities))
        carried.set_content(marked(reading.symbols, reading.carried))
        words = f"Hidden state of {reading.states.shape[1]} units after each of {len(reading.symbols)} characters."
        states.set_content(heat(reading.states, reading.symbols, words))

    field.on_value_change(follow)
    follow()


def sentence(reading: TextReading) -> str:
    """Return the answer in words: what, how sure, against what, and by which character."""
    order = np.argsort(-reading.probabilities, kind="stable")
    found = f"{reading.answer}, {percent(float(reading.probabilities[order[0]]))}"
    if len(order) > 1:
        found += f"; then {reading.labels[order[1]]}, {percent(float(reading.probabilities[order[1]]))}"
    strongest = int(reading.carried.argmax())
    if reading.carried[strongest] > 0.005:
        found += f". It rests most on {reading.symbols[strongest]!r} at place {strongest + 1}"
    return found + "."


def _directions(run: Run) -> str:
    return ", first those that read forwards, then those that read backwards" if run.model_config.bidirectional else ""


def _chances(run: Run, text: str) -> Table:
    found = read_text(run, text) if text else None
    rows = tuple(zip(found.labels, found.probabilities.tolist())) if found else ()
    return Table("probabilities", f"Probabilities of {text}", ("label", "probability"), rows)


def _carried(run: Run, text: str) -> Table:
    found = read_text(run, text) if text else None
    rows = tuple((i + 1, s, c) for i, (s, c) in enumerate(zip(found.symbols, found.carried.tolist()))) if found else ()
    return Table("carried", f"What carried the answer to {text}", ("place", "character", "loss of probability"), rows)


def _states(run: Run, text: str) -> Table:
    found = read_text(run, text) if text else None
    width = found.states.shape[1] if found else 0
    columns = ("character", *(f"unit {unit + 1}" for unit in range(width)))
    rows = tuple((s, *row) for s, row in zip(found.symbols, found.states.tolist())) if found else ()
    return Table("states", f"Hidden state of {text}", columns, rows)
