"""The page: try a run, watch one train, compare many. NiceGUI on a FastAPI app, everything from the wheel, nothing from afar.

`mount` is all that the server needs. What a page shows is computed in modules that know no NiceGUI (`inside`, `drawing`),
and put together in one module a page.
"""

from pathlib import Path

from fastapi import FastAPI

from rnnlab.web.page.runs import Runs

__all__ = ["Runs", "mount"]


def mount(app: FastAPI, folder: Path, runs: Runs) -> None:
    """Add the pages to ``app``, below ``/``; the last thing to be added, as all paths that are left are theirs.

    Args:
        app: a FastAPI application, which has not started.
        folder: where runs that are trained here are written.
        runs: the runs that can be tried and compared.
    """
    from nicegui import app as nicegui_app
    from nicegui import ui

    from rnnlab.web.page import compare_it, try_it, watch_it
    from rnnlab.web.page.jobs import Jobs

    jobs = Jobs()
    nicegui_app.on_shutdown(jobs.close)
    try_it.add(runs)
    compare_it.add(folder, runs)
    watch_it.add(folder, runs, jobs, app.state.uploads)
    ui.run_with(
        app,
        title="rnnlab",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=10,
    )
