"""Pages of the site that are made, not written: the command line's reference, and the notebooks. A hook of MkDocs.

The notebooks are shown as they are handed out with answers. They are run first where ``RNNLAB_DOCS_RUN`` is set (`make
docs`), which takes minutes; otherwise they are shown without outputs.
"""

import os
import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

TITLES = {
    "binary": "Binary numbers to decimal",
    "memorise": "Three numbers by heart",
    "sales": "A store's sales",
    "names": "Names to origins",
    "your_data": "Your own data",
}
TIMEOUT = 600


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for every notebook into the navigation."""
    from rnnlab.notebooks import NAMES

    section = next(entry["Notebooks"] for entry in config.nav or [] if "Notebooks" in entry)
    del section[1:]
    section += [{TITLES[name]: f"notebooks/{name}.md"} for name in NAMES]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and the notebooks themselves to be downloaded."""
    from rnnlab.cli import application
    from rnnlab.notebooks import FORMS, NAMES, notebook
    from rnnlab.notebooks.forms import file_names, to_json

    made: dict[str, str | bytes] = {"cli.md": _command_line(application())}
    for name in NAMES:
        handed = file_names([name], FORMS)
        made |= {f"notebooks/{file}": to_json(notebook(*what)) for file, what in handed.items()}
        made[f"notebooks/{name}.md"] = page(_run(notebook(name, "answer")), list(handed))
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def page(notebook: Any, downloads: list[str]) -> str:
    """Return a notebook as a page in Markdown, with its outputs where it has any, and links to the files."""
    links = " · ".join(f"[{file}]({file})" for file in downloads)
    title, _, first = notebook.cells[0].source.partition("\n")
    parts = [f"{title}\n\nTo download: {links}\n\n{first}"]
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        parts += [_shown(output) for output in cell.get("outputs", [])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(output: Any) -> str:
    """Return an output as raw HTML or as a block of text; warnings and progress on stderr are left out."""
    data = output.get("data", {})
    if "text/html" in data:
        # In one line, as a blank line would end the block of HTML; the theme styles all tables that have no class.
        text = " ".join(line.strip() for line in data["text/html"].splitlines()).replace(
            "<table>", '<table class="shown">'
        )
        return f'<div class="output">{text}</div>'
    text = data.get("text/plain") or (output.get("text") if output.get("name") == "stdout" else "")
    return f'<div class="output" markdown="1">\n\n```text\n{text.rstrip()}\n```\n\n</div>' if text else ""


def _run(notebook: Any) -> Any:
    """Return the notebook, run where that is asked for."""
    if not os.environ.get("RNNLAB_DOCS_RUN"):
        return notebook
    import nbclient

    return nbclient.NotebookClient(notebook, timeout=TIMEOUT).execute()


def _command_line(app: Any) -> str:
    """Return the reference of every verb, from the program itself."""
    text = str(app.generate_docs("markdown"))
    start = text.index("## rnnlab train")
    head = "# The command line\n\nAs the program itself says it: `rnnlab --help`, `rnnlab VERB --help`.\n\n"
    return head + re.sub(r"^For example: (.*)$", r"    \1", text[start:], flags=re.M)
