"""A report on disk: the page, the claims, every study's results and pictures, each file whole or not at all.

The data are written before the pictures and the page last, so that a page that is there is complete. JSON is strict:
NaN and the infinities become the text ``NaN``, ``Infinity`` and ``-Infinity``, which ``float()`` in Python and
``Number()`` in JavaScript both read.
"""

import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlab.errors import OutputError
from rnnlab.reports.charts import svg, to_png
from rnnlab.reports.page import render
from rnnlab.reports.views import Anchors
from rnnlab.results import Figure, StudyResult

TITLE = "The recurrent networks lab"
SUBTITLE = "Four experiments with recurrent networks, run again as published and as they should have been."


def write_report(
    results: Sequence[StudyResult],
    out: Path | str,
    *,
    title: str = TITLE,
    subtitle: str = SUBTITLE,
    size: str = "",
    environment: Mapping[str, Any] | None = None,
    command: str | None = None,
) -> Path:
    """Write ``report.html``, ``claims.json``, ``<study>/results.json`` and ``<study>/figures/*`` into ``out``.

    Args:
        results: the studies, in the order they are shown.
        out: a folder; made where it does not exist, files of an earlier report are replaced.
        title, subtitle, size, environment, command: see `rnnlab.reports.render`.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: where something cannot be written; no file is left in part.

    Example:
        >>> import tempfile
        >>> write_report([], tempfile.mkdtemp()).name
        'report.html'
    """
    out = Path(out)
    claims = [claim for result in results for claim in result.to_dict()["claims"]]
    write_file(out / "claims.json", strict_json(claims))
    names = Anchors()
    folders = [out / names.new(result.study) for result in results]
    for result, folder in zip(results, folders, strict=True):
        write_file(folder / "results.json", strict_json(result.to_dict()))
    for result, folder in zip(results, folders, strict=True):
        _write_figures(result, folder / "figures")
    page = render(
        results,
        title=title,
        subtitle=subtitle,
        size=size,
        environment=environment,
        command=command,
    )
    return write_file(out / "report.html", page)


def strict_json(value: object) -> str:
    """Return ``value`` as JSON that every reader accepts, ending in a line break.

    Example:
        >>> strict_json({"loss": float("nan")})
        '{\\n "loss": "NaN"\\n}\\n'
    """
    return json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all, and return its path; raise OutputError where that is impossible."""
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"out must be a folder with room that can be written, got {path} ({reason}); choose another folder."
        raise OutputError(message) from None
    finally:
        _remove(part)
    return path


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return  # the folder itself is out of reach, so that nothing can have been left in it


def _write_figures(result: StudyResult, folder: Path) -> None:
    names = Anchors()
    for figure in _figures(result):
        name = names.new(figure.id)
        picture = svg(figure)
        write_file(folder / f"{name}.svg", picture)
        write_file(folder / f"{name}.png", to_png(picture))


def _figures(result: StudyResult) -> Iterator[Figure]:
    for section in result.sections:
        yield from (part for part in section.parts if isinstance(part, Figure))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if hasattr(value, "item") and not isinstance(value, str | int | float | bool):
        return _plain(value.item())  # a scalar of numpy or torch
    return str(value) if isinstance(value, Path) else value
