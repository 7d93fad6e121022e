"""The lab as notebooks: one source a notebook, handed out with the answers cut out, and cells that check what students write.

``sources/`` holds the notebooks as percent scripts, `forms` makes notebooks of them, ``checks/`` has a module a notebook.
"""

from rnnlab.notebooks.forms import FORMS, NAMES, Form, notebook, write

__all__ = ["FORMS", "NAMES", "Form", "notebook", "write"]
