"""``/docs``: the OpenAPI document as a page, from files on this machine. Swagger UI comes in the wheel of fastapi-offline."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response

from rnnlab.web.replies import refuse

KINDS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>rnnlab: the service</title>
<link rel="icon" href="/docs/favicon.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body><div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});\n'


def routes(app: FastAPI) -> APIRouter:
    """Return the routes of the page and of what it loads."""
    router = APIRouter(include_in_schema=False)
    spec = find_spec("fastapi_offline")
    static = Path(spec.origin or "").parent / "static" if spec else Path("nowhere")

    @router.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(PAGE)

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    @router.get("/docs/{name}")
    async def file(name: str) -> Response:
        if name not in KINDS or not (static / name).is_file():
            return refuse(f"path must be /docs, got /docs/{name[:40]}; the document itself is /openapi.json", 404)
        return FileResponse(static / name, media_type=KINDS[name], headers={"Cache-Control": "max-age=3600"})

    return router
