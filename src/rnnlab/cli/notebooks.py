"""``rnnlab notebooks``: the lab as notebooks in a folder, without and with the answers."""

import json as jsonlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def notebooks(
    folder: Path,
    names: Annotated[list[str] | None, Parameter(negative=())] = None,
    /,
    *,
    form: str | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Write the lab as notebooks: tasks to be done in plain PyTorch, with cells that check the answers.

    Args:
        folder: where to; it is made where it is missing.
        names: binary, memorise, sales, names, your_data; all of them where none is named.
        form: question (to hand out) or answer; both unless said.
        overwrite: replace notebooks that are in the folder, with what was written in them.
        json: print {"notebooks": [...]}, and nothing else, on stdout.
    """
    from rnnlab.errors import ConfigError, suggest
    from rnnlab.notebooks import FORMS, NAMES, write

    if form is not None and form not in FORMS:
        raise ConfigError(f"form must be {suggest(form, FORMS)}, got {form!r}; leave --form out for both")
    written = write(folder, names or NAMES, tuple(one for one in FORMS if form in (None, one)), overwrite=overwrite)
    if json:
        print(jsonlib.dumps({"notebooks": [str(path) for path in written]}, ensure_ascii=False))
        return 0
    for path in written:
        print(path)
    print(f"Open them in Jupyter or VS Code, with {_kernel()} as the kernel.")
    return 0


def _kernel() -> str:
    """Return the Python that has rnnlab in it."""
    import sys

    return sys.executable
