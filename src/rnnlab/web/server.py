"""The application: routes, guards and limits put together; the page on top, where NiceGUI is installed.

How it meets the network (sockets, signals, time limits) is `rnnlab.web.process`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from rnnlab import __version__
from rnnlab.errors import InputError
from rnnlab.web.batching import Batcher
from rnnlab.web.bodies import Bodies
from rnnlab.web.documentation import routes as documentation
from rnnlab.web.guard import Guard
from rnnlab.web.limits import Limits
from rnnlab.web.replies import refuse, refuse_input
from rnnlab.web.service import routes
from rnnlab.web.store import RunStore
from rnnlab.web.uploads import Uploads


def create_app(
    runs: RunStore,
    *,
    folder: Path = Path("runs"),
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Sequence[str] = (),
    page: bool = True,
) -> FastAPI:
    """Return the application that serves ``runs``; its ``state`` has ``runs``, ``batcher``, ``uploads`` and ``limits``.

    Args:
        runs: what is served.
        folder: where new runs, and uploads, are written.
        limits: on what clients may ask for; None takes the usual ones.
        token: that every request must carry; None lets in who asks a loopback address by its own name.
        hosts: names that the service is asked by, beside the loopback ones.
        page: with the page, where NiceGUI is installed.

    Example:
        >>> create_app(RunStore([]), page=False).title
        'rnnlab'
    """
    limits = limits or Limits()
    batcher = Batcher(runs, limits)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close()

    about = "Runs of rnnlab over HTTP. Errors are one line that says what, where and how to mend it."
    app = FastAPI(
        title="rnnlab", description=about, version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.runs, app.state.batcher, app.state.limits = runs, batcher, limits
    app.state.uploads = Uploads(folder / ".uploads", limits)
    app.include_router(routes(runs, batcher, limits))
    app.include_router(documentation(app))
    app.add_exception_handler(InputError, _refuse_input)
    app.add_exception_handler(HTTPException, _refuse_http)
    # The last one added is the outermost.
    app.add_middleware(Bodies, limits=limits, folder=folder)
    app.add_middleware(Guard, token=token, hosts=hosts)
    if page and find_spec("nicegui") is not None and find_spec("rnnlab.web.page") is not None:
        import_module("rnnlab.web.page").mount(app, folder, runs)
    else:
        app.add_api_route("/", _to_documentation, include_in_schema=False)
    return app


async def _to_documentation() -> Response:
    return RedirectResponse("/docs")


async def _refuse_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return refuse_input(error)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: "path must be one that /docs lists, got another",
        405: "method must be one that /docs lists, got another",
    }
    said = f"{words.get(error.status_code, error.detail)}; see /docs"
    return refuse(said, error.status_code, dict(error.headers or {}))
