"""What a client sends: JSON to the inputs of a run, refused in the command line's words where it is something else.

The document's shape is checked here, what an input must be by the run's codec. This module asks no network.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from rnnlab.errors import DataError

_NUMBERS = {"type": "array", "items": {"type": ["number", "null"]}}
_INPUT = {
    "title": "Input",
    "description": "Text; numbers, one a step; or steps of several numbers each. Of a series, its last values, or an object with "
    "values, times and the columns that the run reads beside them.",
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "number"}},
        {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        {
            "type": "object",
            "required": ["values"],
            "additionalProperties": False,
            "properties": {
                "values": _NUMBERS,
                "times": {"type": "array", "items": {"type": "string"}},
                "columns": {"type": "object", "additionalProperties": _NUMBERS},
                "name": {"type": "string"},
            },
        },
    ],
}
Input = Annotated[Any, WithJsonSchema(_INPUT)]
_WAY = 'send {"inputs": ["Kowalski"]}, or see /docs'


class Question(BaseModel):
    """One or many inputs for a run: ``input`` or ``inputs``, not both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
            "examples": [{"input": "Kowalski"}, {"run": "names-lstm", "inputs": ["Kowalski", "Rossi"]}],
        },
    )

    run: str | None = Field(None, description="The run's id, from GET /api/runs; not needed where one run is served.")
    input: Input = None
    inputs: Annotated[list[Any], Field(json_schema_extra={"items": _INPUT})] | None = None

    def raw(self) -> list[Any]:
        """Return the inputs; blanks around a text are no part of it, as on the command line."""
        found = [self.input] if self.inputs is None else self.inputs
        return [one.strip() if isinstance(one, str) else one for one in found]


def read_question(body: bytes) -> Question:
    """Return what ``body`` asks.

    Raises:
        DataError: it is no JSON, or no question.

    Example:
        >>> read_question(b'{"input": " Rossi "}').raw()
        ['Rossi']
    """
    try:
        question = Question.model_validate_json(body)
    except ValidationError as error:
        raise DataError(_words(error, body)) from None
    if ("input" in question.model_fields_set) == ("inputs" in question.model_fields_set):
        got = "both" if "input" in question.model_fields_set else "neither"
        raise DataError(f"input or inputs must be there, got {got}; {_WAY}")
    return question


def _words(error: ValidationError, body: bytes) -> str:
    """Return one line for what is wrong first."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "json_invalid":
        reason = str(first.get("ctx", {}).get("error", first["msg"]))
        return f"body must be JSON, got {_shown(body)}: {reason}; {_WAY}"
    if first["type"] == "extra_forbidden":
        return f"body must have input or inputs, and run, got the field {place[:40]!r}; {_WAY}"
    if not place:
        return f"body must be a JSON object, got {_shown(body)}; {_WAY}"
    rule = {"string_type": "text", "list_type": "a list"}.get(first["type"], first["msg"])
    return f"{place} must be {rule}, got {str(first['input'])[:40]!r}; {_WAY}"


def _shown(body: bytes) -> str:
    return repr(body[:40].decode("utf-8", "replace")) + ("..." if len(body) > 40 else "") if body else "nothing"
