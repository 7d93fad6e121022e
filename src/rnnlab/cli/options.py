"""Flags from the configurations: each field of a pydantic model is a flag, with its description and its default.

The verbs share them; nothing is described twice. A flag that is not given is absent, so that what trains well for a kind of
data stands unless it is.
"""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from cyclopts import Parameter

from rnnlab.commas import joined, parts

Verb = TypeVar("Verb", bound=Callable[..., int])


def flags(
    groups: Mapping[str, Any], *, found: Sequence[str] = (), skip: Sequence[str] = (), lists: Sequence[str] = ()
) -> Callable[[Verb], Verb]:
    """Return a decorator that gives a verb with ``**options`` a flag for each field of some configurations.

    Args:
        groups: the heading in ``--help``, and the configuration whose fields stand under it.
        found: headings whose defaults depend on the data, and are not shown.
        skip: fields that are no flags.
        lists: headings whose flags take several values, a,b,c, but for those that are yes or no.
    """

    def decorate(verb: Verb) -> Verb:
        own = inspect.signature(verb)
        kept = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        for title, config in groups.items():
            fields: dict[str, Any] = config.model_fields
            for name, field in fields.items():
                if name not in skip:
                    kept.append(_flag(name, field, title, shown=title not in found, several=title in lists))
        verb.__signature__ = own.replace(parameters=kept)  # type: ignore[attr-defined]
        return verb

    return decorate


def _flag(name: str, field: Any, title: str, *, shown: bool, several: bool) -> inspect.Parameter:
    kind, choices = _kind(field.annotation)
    kind = list[str] if several and kind is not bool else kind
    default = field.get_default()
    text = field.description or ""
    if choices and not all(choice in text for choice in choices):
        text += f" One of {', '.join(choices)}."
    if shown and default not in (None, (), False):
        text += f" [default: {default}]"
    parameter = Parameter(help=text, group=title, negative=None if kind is bool and default is not False else ())
    if kind is bool and not shown:
        parameter = Parameter(help=text, group=title)
    annotation: Any = Annotated[kind | None, parameter]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the type of a flag, and its choices; the configuration itself checks them, so its message is the one seen."""
    options = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
    first = options[0]
    if get_origin(first) is Literal:
        return str, tuple(map(str, get_args(first)))
    if get_origin(first) is tuple:
        return list[str], ()
    return first, ()


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that were given; a list of columns may be one text with commas (`rnnlab.commas`), or a flag repeated.

    Raises:
        ConfigError: a quote that is not closed.
    """
    found: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, list):
            listed = [part for item in value for part in (parts(item) if name != "where" else [item.strip()])]
            found[name] = tuple(part for part in listed if part)
        elif value is not None:
            found[name] = value
    return found


def words(asked: Mapping[str, Any]) -> list[str]:
    """Return flags that were given, as they are typed.

    Example:
        >>> words({"hidden_size": (8, 16), "bidirectional": False})
        ['--hidden-size', '8,16', '--no-bidirectional']
    """
    found: list[str] = []
    for name, value in asked.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            found.append(flag if value else f"--no-{name.replace('_', '-')}")
        elif name == "where":
            found += [word for one in value for word in (flag, str(one))]
        else:
            found += [flag, joined(map(str, value)) if isinstance(value, tuple) else str(value)]
    return found
