"""Answers and errors as JSON. An error is ``{"error": words}``, with the words of the command line."""

from typing import Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from rnnlab.errors import InputError, OutputError, RunFolderError
from rnnlab.runs.files import finite
from rnnlab.web.batching import BusyError
from rnnlab.web.store import GoneRunError, UnknownRunError

STATUS = {
    UnknownRunError: 404,
    GoneRunError: 410,
    RunFolderError: 409,
    BusyError: 429,
    OutputError: 507,
    InputError: 422,
}


class Problem(BaseModel):
    """What went wrong, and what to do."""

    error: str = Field(description="One line: *name must rule, got value; do this*.")


def reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``content`` as strict JSON; figures that are not finite are null."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def refuse(error: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return an error as every client of the service sees it."""
    return reply({"error": error}, status, headers)


def refuse_input(error: InputError) -> Response:
    """Return the reply to a request that `error` came of."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    headers = {"Retry-After": str(error.seconds)} if isinstance(error, BusyError) else None
    return refuse(str(error), status, headers)


def plain(content: Any) -> Any:
    """Return ``content`` as JSON types with text for keys."""
    return finite(content)
