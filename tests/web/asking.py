"""A client of the application, without a network between them."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from tests.web import loops

ADDRESS = "http://127.0.0.1:8080"


def ask(app: FastAPI, method: str, path: str, **given: Any) -> httpx.Response:
    """Return the answer to one request."""
    return ask_all(app, [(method, path, given)])[0]


def ask_all(app: FastAPI, requests: list[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
    """Return the answers to requests that are made at the same time."""

    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await asyncio.gather(*(client.request(method, path, **given) for method, path, given in requests))

    return loops.run(answers())
