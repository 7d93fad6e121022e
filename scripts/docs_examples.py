"""A griffe extension: what our docstrings call ``Example:`` is shown as code, with its answers."""

from typing import Any

from griffe import Extension, Object


class Examples(Extension):
    """Reads the section ``Example:`` as griffe's ``Examples:``; otherwise ``>>>`` would be a quotation."""

    def on_object(self, *, obj: Object, **more: Any) -> None:
        """Rename the section of one object's docstring."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
