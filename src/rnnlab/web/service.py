"""The service's four questions: is it up, which runs are there, what is one of them, and what does it answer.

Here HTTP meets runs, and nothing is computed. What goes wrong is said in the words of the command line (`rnnlab.web.replies`).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.responses import Response

from rnnlab import __version__
from rnnlab.runs import Run
from rnnlab.tasks import Codec
from rnnlab.web.batching import Batcher
from rnnlab.web.limits import Limits
from rnnlab.web.questions import Question, read_question
from rnnlab.web.replies import Problem, plain, refuse, reply
from rnnlab.web.store import RunStore

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}


class Health(BaseModel):
    """That the service is up."""

    status: str = "ok"
    version: str


class Answers(BaseModel):
    """What ``rnnlab predict --json`` prints."""

    predictions: list[dict[str, Any]] = Field(
        description="In the order of the inputs: {prediction, probabilities} of a classifier, {prediction} of a number, "
        "and {time, prediction, lower, upper} for each step ahead of a series (with the number of its input as id where there are several).",
        examples=[[{"prediction": "Polish", "probabilities": {"Polish": 0.97, "Czech": 0.03}}]],
    )


class RunLine(BaseModel):
    """A run in a list."""

    id: str
    task: str
    data: str
    cell: str
    hidden_size: int
    status: str
    seconds: float
    metrics: dict[str, float | None]
    problem: str = Field(description="What is wrong with a broken run; else empty.")


class RunList(BaseModel):
    """The runs that are served."""

    runs: list[RunLine]


class InputRule(BaseModel):
    """What an input of a run must be."""

    kind: str = Field(description="text, numbers or series.")
    features: int = Field(description="Numbers a step; 0 for text.")
    shortest: int = Field(description="Steps that are needed: the last values of a series.")
    longest: int = Field(description="Steps that are taken.")
    known: list[str] = Field(
        description="Columns of a series that must be told for the steps of the past and of the future."
    )
    past: list[str] = Field(description="Columns of a series that must be told for the steps of the past.")
    future: int = Field(description="Steps of the future for which the known columns must be told.")
    times: bool = Field(description="Whether the times of a series must be told.")


class RunDetails(BaseModel):
    """All that a run says of itself."""

    id: str
    name: str
    status: str
    task: str
    input: InputRule
    labels: list[str] = Field(description="The classes; empty for numbers.")
    horizon: int = Field(description="Steps ahead of a forecast; else 0.")
    model: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, dict[str, float | None]]
    baselines: list[dict[str, Any]]
    interval: dict[str, Any] | None
    findings: list[dict[str, Any]]
    history: list[dict[str, Any]]
    environment: dict[str, Any]
    seconds: float


def _problems(**words: str) -> dict[int | str, dict[str, Any]]:
    return {int(code[1:]): {"model": Problem, "description": text} for code, text in words.items()}


FOUND = _problems(
    _404="No run has this id.",
    _409="The run's folder is damaged, or its training has only begun.",
    _410="It was deleted.",
)
ONE = FOUND | _problems(_422="The id cannot be read.")
ASKED = {
    **FOUND,
    **_problems(
        _408="The body came too slowly.", _413="The body is too large.", _415="The body is not said to be JSON.",
        _422="The body is no question, or an input is not what the run takes.", _429="Too much waits; see Retry-After.",
    ),
}  # fmt: skip
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}}


def routes(store: RunStore, batcher: Batcher, limits: Limits) -> APIRouter:
    """Return the service's routes."""
    router = APIRouter(tags=["runs"])

    @router.get("/healthz", response_model=Health, summary="Is the service up?")
    async def healthz() -> Response:
        return reply({"status": "ok", "version": __version__})

    @router.get("/api/runs", response_model=RunList, summary="The runs that are served")
    def runs() -> Response:
        return reply(plain({"runs": [one.to_dict() for one in store.list()]}))

    @router.get("/api/runs/{id}", response_model=RunDetails, responses=ONE, summary="All that a run says of itself")
    def run(id: str) -> Response:
        return reply(plain(_details(id, store.get(id), limits, str(store.folder(id)))))

    @router.post(
        "/api/predict", response_model=Answers, responses=ASKED, openapi_extra=BODY, summary="Answers of a run"
    )
    async def predict(request: Request) -> Response:
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            return refuse(f"content-type must be application/json, got {kind[:40]!r}; send JSON", 415)
        question = read_question(await request.body())
        return reply({"predictions": await batcher.ask(question.run, question.raw())})

    _refuse_the_rest(router)
    return router


def _refuse_the_rest(router: APIRouter) -> None:
    """Answer other methods and other paths below ``/api`` here, so that they do not fall through to the page."""

    def other(allowed: str) -> Callable[[], Awaitable[Response]]:
        async def refusal() -> Response:
            return refuse(f"method must be {allowed}, got another; see /docs", 405, {"Allow": allowed})

        return refusal

    async def unknown() -> Response:
        return refuse("path must be one of /api/predict, /api/runs, /api/runs/ID, got another; see /docs", 404)

    for route in [one for one in router.routes if isinstance(one, APIRoute)]:
        (allowed,) = route.methods or {"GET"}
        router.add_api_route(route.path, other(allowed), methods=[*METHODS - {allowed}], include_in_schema=False)
    for path in ("/api", "/api/{rest:path}"):
        router.add_api_route(path, unknown, methods=[*METHODS], include_in_schema=False)


def _details(name: str, run: Run, limits: Limits, folder: str) -> dict[str, Any]:
    codec = run.codec
    return {
        "id": name, "name": run.name, "status": run.status, "task": run.data.get("kind", ""),
        "input": _rule(codec, limits),
        "labels": [] if codec.kind == "series" else list(codec.labels), "horizon": codec.horizon if codec.kind == "series" else 0,
        "model": run.model_config.model_dump(), "training": run.train_config.model_dump(), "metrics": run.metrics,
        "baselines": run.data.get("baselines", []), "interval": run.data.get("interval"),
        "findings": [finding.to_dict() for finding in run.findings], "history": list(run.history),
        "environment": run.environment, "seconds": run.seconds,
    }  # fmt: skip


def _rule(codec: Codec, limits: Limits) -> dict[str, Any]:
    """Return what an input must be, as `InputRule`."""
    rule: dict[str, Any] = {
        "kind": codec.kind, "features": codec.interface.features, "shortest": int(codec.kind == "numbers"),
        "longest": limits.length, "known": [], "past": [], "future": 0, "times": False,
    }  # fmt: skip
    if codec.kind == "series":
        rule |= {"features": 1, "shortest": codec.past_length, "known": list(codec.known), "past": list(codec.past)}
        rule |= {"future": codec.future_length, "times": bool(codec.calendar)}
    return rule
