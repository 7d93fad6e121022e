"""``rnnlab predict``: a run's answers to arguments, a file, or standard input, in batches, in the order of the input."""

import json as jsonlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from cyclopts import Parameter

from rnnlab.data.calendar import Fill
from rnnlab.data.config import Aggregate
from rnnlab.errors import ConfigError

if TYPE_CHECKING:
    from rnnlab.runs import Run
    from rnnlab.runs.adapting import Adapted
    from rnnlab.runs.reading import Asked, Question


def predict(
    run: Path,
    inputs: Annotated[list[str] | None, Parameter(negative=(), allow_leading_hyphen=True)] = None,
    /,
    *,
    file: Path | None = None,
    text: str | None = None,
    where: str | None = None,
    fill: Fill | None = None,
    aggregate: Aggregate | None = None,
    sort: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Ask a run: a prediction a line, in the order of the input.

    Examples:
    rnnlab predict runs/names-gru Kowalski "De Luca"
    rnnlab predict runs/names-gru --file names.csv --out origins.jsonl --json
    cat names.txt | rnnlab predict runs/names-gru

    A series is forecast from its last values, with its interval; where a file goes on after the training's data, intervals adapt first
    on the forecasts that have come true since. Of a run that reads columns known in advance, the file's last rows are the steps to
    forecast: they have those columns, and no value.

    Args:
        run: a run folder.
        inputs: strings; numbers of a sequence, as '1 2 3'; the last values of a series. Standard input where none is given.
        file: a table with the columns of the training, or a text with one input a line; compressed or not.
        text: the column of the strings, where the file calls it something else than the training's.
        where: of a table of series, the rows to keep: COLUMN=TEXT; else what the training kept.
        fill: what fills gaps of a series, as of train; else as the training did.
        aggregate: what becomes of rows of one time, as of train; else as the training did.
        sort: sort rows whose times fall.
        out: a file to write to, whole or not at all.
        json: print {"predictions": [...]} with the probabilities of all labels, or the interval of a forecast, and how many forecasts
            intervals adapted on.
    """
    if inputs and file:
        raise ConfigError("--file must come without inputs, got both; leave one out")
    told = {"text": text, "where": where, "fill": fill, "aggregate": aggregate, "sort": sort or None}
    columns = {name: value for name, value in told.items() if value is not None}
    if columns and file is None:
        raise ConfigError(
            f"--{next(iter(columns))} must come with --file, got no file; name the file that has the column"
        )
    if not inputs and file is None and sys.stdin.isatty():
        raise ConfigError("inputs must be given, got none; pass them, a --file, or pipe them in")
    import torch

    from rnnlab.runs import load
    from rnnlab.runs.answers import prepare

    # A forward pass of a batch gains nothing from more threads than one.
    torch.set_num_threads(1)
    loaded = prepare(load(run))
    with _asked(loaded, inputs, file, columns) as asked, _sink(out) as sink:
        found = (one for batch in asked for one in _answers(asked.run, batch))
        if json:
            _write_json(found, asked.adapted, sink)
        else:
            for answer in found:
                sink.write(_line(answer) + "\n")
    if asked.adapted is not None and asked.adapted.origins and not json:
        print(f"rnnlab: {_heard(asked.adapted)}", file=sys.stderr)
    return 0


@contextmanager
def _asked(run: "Run", inputs: list[str] | None, file: Path | None, columns: dict[str, Any]) -> Iterator["Question"]:
    from rnnlab.runs.reading import Question, from_file, from_lines

    if file is not None:
        with from_file(run, file, **columns) as asked:
            yield asked
    else:
        yield Question(run, from_lines(run, inputs or sys.stdin.buffer, "inputs" if inputs else "standard input"))


def _heard(adapted: "Adapted") -> str:
    """Return the sentence about what the intervals have heard of since the training."""
    return (
        f"intervals adapted on {adapted.origins:,} forecasts that came true up to {adapted.until}; "
        f"{adapted.level:.0%} intervals held {adapted.held:.1%} of their values, {adapted.held_unadapted:.1%} if they had not"
    )


def _sink(out: Path | None) -> Any:
    from rnnlab.runs.files import open_whole

    return nullcontext(sys.stdout) if out is None else open_whole(out)


def _answers(run: "Run", batch: "Asked") -> Iterator[dict[str, Any]]:
    from rnnlab.runs.answers import answers

    return answers(run, run.predict(batch.raw), ids=batch.ids, times=batch.times)


def _write_json(answers: Iterator[dict[str, Any]], adapted: "Adapted | None", sink: TextIO) -> None:
    """Write the answers as they come, so that they need not all be held."""
    about = "" if adapted is None else f'"intervals": {jsonlib.dumps(adapted.to_dict(), allow_nan=False)}, '
    # What is wrong with the first batch is said before anything is written.
    first = list(islice(answers, 1))
    sink.write("{" + about + '"predictions": [')
    for number, answer in enumerate(chain(first, answers)):
        sink.write((",\n" if number else "\n") + jsonlib.dumps(answer, ensure_ascii=False, allow_nan=False))
    sink.write("\n]}\n")


def _line(answer: dict[str, Any]) -> str:
    if "time" in answer:
        shown = [answer["prediction"], answer["lower"], answer["upper"]]
        place = [str(answer[name]) for name in ("id", "time") if name in answer]
        return "\t".join([*place, *(f"{value:.6g}" for value in shown if value is not None)])
    value = answer["prediction"]
    text = (
        value
        if isinstance(value, str)
        else ",".join(f"{x:.6g}" for x in (value if isinstance(value, list) else [value]))
    )
    return f"{answer['id']}\t{text}" if "id" in answer else text
