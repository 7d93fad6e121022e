"""A number run, asked: the lab's eight switches, or the numbers of a sequence; the answer after every step."""

from collections.abc import Callable, Sequence

import numpy as np
from nicegui import ui

from rnnlab.data import library
from rnnlab.errors import InputError
from rnnlab.reports.rounding import cell
from rnnlab.results import Table
from rnnlab.runs import Run
from rnnlab.runs.reading import from_lines
from rnnlab.tasks import NumberCodec
from rnnlab.web.page.drawing import bars, heat, table
from rnnlab.web.page.frame import Said, section
from rnnlab.web.page.inside import NumberReading, read_numbers
from rnnlab.web.page.numbers import numbers

BITS = 8
FIRST = (True, False, True, True, False, False, True, False)
Steps = Sequence[Sequence[float]]


def show(run: Run) -> None:
    """Put switches or a field here, and the pictures that follow them."""
    assert isinstance(run.codec, NumberCodec)
    if run.data.get("provenance") == library.binary().provenance:
        _switches(run, one_step=len(run.codec.offset) == BITS)
    else:
        _field(run, len(run.codec.offset))


def bits_as_steps(bits: Sequence[bool], *, one_step: bool) -> Steps:
    """Return bits as the network reads them: a step of eight features, or eight steps of one.

    Example:
        >>> bits_as_steps([True, False], one_step=False)
        [[1.0], [0.0]]
    """
    values = [float(bit) for bit in bits]
    return [values] if one_step else [[value] for value in values]


def decimal(bits: Sequence[bool]) -> int:
    """Return the number that bits mean, the most significant first.

    Example:
        >>> decimal([True, False, True])
        5
    """
    return sum(int(bit) << place for place, bit in enumerate(reversed(bits)))


def sentence(bits: Sequence[bool], reading: NumberReading) -> str:
    """Return in words what the bits mean, what the network says, and whether it is right."""
    truth, said = decimal(bits), float(np.asarray(reading.answers[-1], dtype=np.float64).reshape(-1)[0])
    digits = "".join(str(int(bit)) for bit in bits)
    right = "right after rounding" if round(said) == truth else f"off by {cell(abs(said - truth))}"
    return f"{digits} is {truth}. The network says {cell(said)}: {right}."


def _switches(run: Run, *, one_step: bool) -> None:
    with ui.element("fieldset").classes("bits"):
        with ui.element("legend"):
            ui.label("Eight bits, the most significant first")
        switches = [
            ui.switch(str(2 ** (BITS - 1 - place)), value=value).props("keep-color")
            for place, value in enumerate(FIRST)
        ]
    said = Said()

    def bits() -> list[bool]:
        return [bool(switch.value) for switch in switches]

    follow = _pictures(
        run, lambda: bits_as_steps(bits(), one_step=one_step), said, lambda reading: sentence(bits(), reading)
    )
    for switch in switches:
        switch.on_value_change(follow)
    follow()


def _field(run: Run, features: int) -> None:
    example = "0.1 0.2 0.3" if features == 1 else f"[[{', '.join(['0.1'] * features)}], ...]"
    how = "Numbers of a sequence" if features == 1 else f"A sequence of {features} numbers a step, as JSON"
    field = ui.input(how, placeholder=example).props("outlined autocomplete=off autofocus").classes("wide")
    said = Said()

    def steps() -> Steps:
        asked = next(from_lines(run, [field.value or ""], "the field"))
        found: Steps = np.asarray(asked.raw[0]).tolist()
        return found

    follow = _pictures(run, steps, said, lambda reading: f"The network says {_shown(reading.answers[-1])}.")
    field.on_value_change(follow)
    said.say(f"Write a sequence, such as {example}.")


def _pictures(
    run: Run, steps: Callable[[], Steps], said: Said, words: Callable[[NumberReading], str]
) -> Callable[[], None]:
    """Put the pictures here; return what brings them up to what is asked."""
    with ui.element("div").classes("two"):
        with section("The answer after each step", "The steps so far are read as if they were the whole."):
            answers = ui.html("", sanitize=False)
            numbers(lambda: _answers(steps(), read_numbers(run, steps())))
        if run.codec.kind == "numbers" and run.codec.labels:
            with section("Probabilities"):
                chances = ui.html("", sanitize=False)
    with section("Hidden state", "Of the last layer, a row a step, a column a unit: blue above zero, orange below."):
        states = ui.html("", sanitize=False)
        numbers(lambda: _states(read_numbers(run, steps())))

    def follow() -> None:
        try:
            given = steps()
            reading = read_numbers(run, given)
        except InputError as error:
            said.wrong(str(error))
            return
        said.say(words(reading))
        answers.set_content(table(_answers(given, reading)))
        if len(reading.probabilities) and isinstance(run.codec, NumberCodec):
            chances.set_content(bars(run.codec.labels, reading.probabilities))
        rows = [str(step + 1) for step in range(len(reading.states))]
        alt = f"Hidden state of {reading.states.shape[1]} units after each of {len(rows)} steps."
        states.set_content(heat(reading.states, rows, alt))

    return follow


def _answers(steps: Steps, reading: NumberReading) -> Table:
    rows = tuple(
        (number, " ".join(cell(value) for value in step), _shown(answer))
        for number, (step, answer) in enumerate(zip(steps, reading.answers), 1)
    )
    return Table("answers", "Answers", ("step", "input", "answer so far"), rows)


def _states(reading: NumberReading) -> Table:
    columns = ("step", *(f"unit {unit + 1}" for unit in range(reading.states.shape[1])))
    return Table(
        "states", "Hidden state", columns, tuple((i + 1, *row) for i, row in enumerate(reading.states.tolist()))
    )


def _shown(answer: object) -> str:
    return ", ".join(map(cell, answer)) if isinstance(answer, list) else cell(answer)
