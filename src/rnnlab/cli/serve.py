"""``rnnlab serve``: runs over HTTP, and the page, until Ctrl-C."""

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rnnlab.errors import MissingExtraError

if TYPE_CHECKING:
    from rnnlab.web.store import RunStore

EXIT_STOPPED = 130


def serve(
    runs: Annotated[list[Path] | None, Parameter(negative=())] = None,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: Annotated[str | None, Parameter(env_var="RNNLAB_TOKEN")] = None,
    folder: Path = Path("runs"),
) -> int:
    """Serve runs over HTTP: a page to touch, and an endpoint, on this machine alone unless a token is given.

    Examples:
    rnnlab serve
    rnnlab serve runs/names-gru --port 9000
    curl -s localhost:8080/api/predict --json '{"input": "Kowalski"}'

    Args:
        runs: run folders. [default: all below --folder, and those that come]
        host: the address to listen on; any other than 127.0.0.1 demands a token.
        port: the port; 0 takes one that is free.
        token: what every request must carry, as Authorization: Bearer TOKEN; better in the environment, where ps does not show it.
        folder: where the page writes new runs, and keeps uploads.
    """
    missing = [name for name in ("fastapi", "uvicorn", "httptools", "orjson") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"web must be installed, got no {missing[0]}; run pip install 'rnnlab[web]'")
    from rnnlab.web.process import check_token, listen
    from rnnlab.web.process import serve as answer

    check_token(host, token)
    bound = listen(host, port)
    try:
        store = _store(runs, folder)
        _stop_on_term()
        import torch

        from rnnlab.web.server import create_app

        torch.set_num_threads(1)
        app = create_app(store, folder=folder, token=token, hosts=(host,))
        answer(app, bound, ready=lambda address: _greet(address, len(store.list()), token is not None))
    except KeyboardInterrupt:
        pass
    finally:
        bound.close()
    print("rnnlab: stopped", file=sys.stderr)
    return EXIT_STOPPED


def _store(runs: list[Path] | None, folder: Path) -> "RunStore":
    """Return the runs to serve; one that was named must be there, and whole."""
    from rnnlab.errors import RunFolderError
    from rnnlab.runs import load
    from rnnlab.web.store import RunStore

    for run in runs or []:
        load(run)
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} must be a folder of runs, got a file; pass the folder that train writes to")
    return RunStore(runs or [folder])


def _stop_on_term() -> None:
    """Let SIGTERM end the process as Ctrl-C does."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _greet(address: str, count: int, guarded: bool) -> None:
    way = "?token=TOKEN in a browser, Authorization: Bearer TOKEN elsewhere" if guarded else "Ctrl-C stops"
    print(
        f"{count} run{'' if count == 1 else 's'} at {address}  (the API: {address}/docs; {way})",
        file=sys.stderr,
        flush=True,
    )
