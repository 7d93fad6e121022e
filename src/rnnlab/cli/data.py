"""``rnnlab data``: what is built in, where it comes from, and a copy of it as CSV."""

import csv
import io
import json as jsonlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rnnlab.errors import ConfigError, suggest


def data(
    name: str | None = None,
    /,
    *,
    out: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """List the built-in data, or write one of them as CSV.

    Args:
        name: names, sales, binary or memorise; all are listed where none is named.
        out: a CSV file to write it to.
        json: print the list as JSON, and nothing else, on stdout.
    """
    from rnnlab.data import describe, library

    known: dict[str, Callable[[], Any]] = {
        "names": library.names,
        "sales": library.sales,
        "binary": library.binary,
        "memorise": library.memorise,
    }
    if name is not None and name not in known:
        raise ConfigError(f"name must be {suggest(name, known)}, got {name!r}")
    if out is not None and name is None:
        raise ConfigError("--out must come with a name, got none; write rnnlab data names --out names.csv")
    sources = {key: make() for key, make in known.items() if name in (None, key)}
    if out is not None:
        from rnnlab.runs import write_whole

        write_whole(out, _csv(sources[str(name)]).encode())
    listed = [
        {"name": key, "holds": describe(source), "provenance": source.provenance, "fingerprint": source.fingerprint}
        for key, source in sources.items()
    ]
    if json:
        print(jsonlib.dumps(listed, ensure_ascii=False))
        return 0
    for entry in listed:
        print(f"{entry['name']:<9} {entry['holds']}\n{'':<9} {entry['provenance']}")
    return 0


def _csv(source: Any) -> str:
    """Return a source as the CSV that ``rnnlab train`` reads."""
    from rnnlab.data import LabelledStrings, Series

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if isinstance(source, LabelledStrings):
        writer.writerow(["text", "label"])
        writer.writerows(zip(source.texts, source.labels, strict=True))
    elif isinstance(source, Series):
        writer.writerow(["time", source.name, *source.known])
        writer.writerows(zip(source.times, source.values, *source.known.values(), strict=True))
    else:
        writer.writerow(["id", "time", *source.features, "target"])
        for number, (values, target) in enumerate(zip(source.values, source.targets, strict=True)):
            writer.writerows([number, step, *row, target] for step, row in enumerate(values.tolist()))
    return text.getvalue()
