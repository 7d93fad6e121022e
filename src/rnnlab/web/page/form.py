"""A form for a configuration, from the configuration itself: each field of a pydantic model is a field here.

What is left empty is absent, so that what trains well for the data stands, as on the command line. The configuration checks
the values; its message is what is shown.
"""

import types
from collections.abc import Callable, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from nicegui import ui

from rnnlab.commas import joined, parts
from rnnlab.config import Config
from rnnlab.errors import ConfigError

COLUMN = ("text", "target", "id", "time", "value")
COLUMNS = ("features", "known", "past")


class Form:
    """The fields of a configuration; `given` are those that were filled in.

    Args:
        config: the model.
        columns: of the file; its fields that name columns then choose among these.
        values: what is filled in already.
        only: the fields that are asked for; all of them where None.
        on_change: called when a value changes.
    """

    def __init__(
        self, config: type[Config], *, columns: Sequence[str] = (), values: dict[str, Any] | None = None,
        only: Sequence[str] | None = None, on_change: Callable[[], Any] | None = None,
    ) -> None:  # fmt: skip
        self._fields: dict[str, Any] = {}
        self._several = {name for name, about in config.model_fields.items() if _is_list(about.annotation)}
        fields: dict[str, Any] = config.model_fields
        with ui.element("div").classes("fields"):
            for name, about in fields.items():
                if only is None or name in only:
                    element = _field(name, about, columns, (values or {}).get(name))
                    if on_change is not None:
                        element.on_value_change(on_change)
                    self._fields[name] = element

    def given(self) -> dict[str, Any]:
        """Return the values that were filled in, by field."""
        found = {name: element.value for name, element in self._fields.items()}
        return {
            name: _value(value, name in self._several)
            for name, value in found.items()
            if value not in (None, "", [], ())
        }


def _field(name: str, about: Any, columns: Sequence[str], value: Any) -> Any:
    label, hint = name.replace("_", " "), f'hint="{(about.description or "").replace(chr(34), chr(39))}" hide-hint'
    choices = _choices(about.annotation)
    if name in COLUMN and columns:
        element: Any = ui.select(["", *columns], value=value or "", label=label)
    elif name in COLUMNS and columns:
        element = ui.select(list(columns), value=list(value or ()), label=label, multiple=True).props("use-chips")
    elif choices:
        element = ui.select(["", *choices], value=value or "", label=label)
    else:
        shown = joined(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
        element = ui.input(label, value=shown).props("autocomplete=off")
    return element.props(f"outlined dense {hint}")


def _choices(annotation: Any) -> tuple[str, ...]:
    """Return the choices of a ``Literal`` or a bool, also where it may be None."""
    options = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    first = next(option for option in options if option is not type(None))
    if first is bool:
        return ("yes", "no")
    return tuple(map(str, get_args(first))) if get_origin(first) is Literal else ()


def _is_list(annotation: Any) -> bool:
    options = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return any(get_origin(option) is tuple for option in options)


def _value(value: Any, several: bool) -> Any:
    if value in ("yes", "no"):
        return value == "yes"
    if several and isinstance(value, str):
        try:
            return parts(value)
        except ConfigError:
            return value  # the configuration says what is wrong with it
    return tuple(value) if isinstance(value, list) else value.strip() if isinstance(value, str) else value
