"""A source as a notebook, in the form that is handed out (*question*) or in the form with the answers (*answer*).

A source is a percent script. What stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` (nbgrader's words) is
replaced by ``... # your code here`` in a question (``### BEGIN SOLUTION best`` by ``best = ...``); a cell tagged
``question`` or ``answer`` is in that form alone. Nothing here runs a cell.
"""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from rnnlab.errors import ConfigError, MissingExtraError, OutputError, suggest

Form = Literal["question", "answer"]
FORMS: tuple[Form, ...] = get_args(Form)
NAMES: tuple[str, ...] = ("binary", "memorise", "sales", "names", "your_data")
ONE_FORM = ("your_data",)
BLANK = "...  # your code here"
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION(?: (\w+))?\n(.*?)^ *### END SOLUTION$", re.S | re.M)


def source(name: str) -> str:
    """Return a notebook's percent script.

    Raises:
        ConfigError: an unknown name.
    """
    if name not in NAMES:
        raise ConfigError(f"name must be {suggest(name, NAMES)}, got {name!r}; name one of them")
    return (files("rnnlab.notebooks") / "sources" / f"{name}.py").read_text(encoding="utf-8")


def notebook(name: str, form: Form = "question") -> Any:
    """Return a notebook, an ``nbformat.NotebookNode`` without outputs; the same source gives the same bytes.

    Args:
        name: one of `NAMES`.
        form: ``question`` or ``answer``.

    Raises:
        ConfigError: an unknown name or form.
        MissingExtraError: jupytext is not installed.
    """
    if form not in FORMS:
        raise ConfigError(f"form must be {suggest(form, FORMS)}, got {form!r}; name one of them")
    text = source(name)
    try:
        import jupytext
    except ImportError:
        raise MissingExtraError(
            "notebooks must have jupytext, got none; pip install 'rnnlab[notebooks]', then try again"
        ) from None
    made = jupytext.reads(text, fmt="py:percent")
    other = "answer" if form == "question" else "question"
    made.cells = [cell for cell in made.cells if other not in cell.metadata.get("tags", [])]
    for index, cell in enumerate(made.cells):
        cell["id"] = f"{name.replace('_', '-')}-{index}"
        cell.metadata = {}
        cell.source = in_form(cell.source, form)
    made.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    made.nbformat, made.nbformat_minor = 4, 5
    return made


def in_form(code: str, form: Form) -> str:
    """Return a cell with its solutions cut out, or with their marks alone taken out.

    Example:
        >>> in_form("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n    ### END SOLUTION", "question")
        'def f(x):\\n    ...  # your code here'
    """
    if form == "question":
        return _SOLUTION.sub(lambda found: f"{found[1]}{found[2] + ' = ' if found[2] else ''}{BLANK}", code)
    return _SOLUTION.sub(lambda found: found[3].removesuffix("\n"), code)


def to_json(notebook: Any) -> bytes:
    """Return a notebook as its file holds it."""
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return f"{text}\n".encode()


def file_names(names: Sequence[str], forms: Sequence[Form]) -> dict[str, tuple[str, Form]]:
    """Return the files that `write` writes, each with the notebook and the form in it."""
    made: dict[str, tuple[str, Form]] = {}
    for name in names:
        if name in ONE_FORM:
            made[f"{name.replace('_', '-')}.ipynb"] = (name, "answer")
        else:
            made |= {f"{name}-{form}.ipynb": (name, form) for form in forms}
    return made


def write(
    folder: Path, names: Sequence[str] = NAMES, forms: Sequence[Form] = FORMS, *, overwrite: bool = False
) -> list[Path]:
    """Write notebooks to a folder, which is made where it is missing, and return their paths.

    Args:
        folder: where to.
        names: of notebooks.
        forms: which forms of each; *your data* has one alone.
        overwrite: replace files that are there, with what students wrote in them.

    Raises:
        OutputError: a file is there already, or the folder cannot be written; nothing is written then.
    """
    from rnnlab.runs import write_whole

    made = {folder / file: notebook(*what) for file, what in file_names(names, forms).items()}
    there = [path.name for path in made if path.exists()]
    if there and not overwrite:
        raise OutputError(
            f"{folder} must not hold {', '.join(there)} yet, got files that would be lost; "
            "name another folder, or pass --overwrite to replace them"
        )
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} must be a folder, got a file; name another")
    for path, one in made.items():
        write_whole(path, to_json(one))
    return list(made)
