"""How things show themselves in a notebook: what is shown says so here, and the one room that draws is asked for the HTML.

`Displayed` gives a class the ``_repr_html_`` that IPython asks for. Who draws is set by the package's root (`drawn_by`), so
that rooms below the drawing one need not know it, and is imported when something is first shown.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

_drawer = ""


def drawn_by(where: str) -> None:
    """Name the function that returns a thing's HTML, as ``module:function``."""
    global _drawer
    _drawer = where


class Displayed:
    """Shows itself as HTML where it is the last line of a notebook's cell."""

    def _repr_html_(self) -> str:
        module, _, function = _drawer.partition(":")
        draw: Callable[[Any], str] = getattr(import_module(module), function)
        return draw(self)
