"""The addresses for programs: ``GET /runs`` and ``POST /translate``."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from inference.app.guard import who
from inference.app.runs import UnknownRunError
from inference.app.service import FailedError, Order, Service, printable
from inference.app.uploads import NoImageError
from inference.app.work_queue import BusyError
from inference.writing import encoded
from options.errors import TooLargeError, UserError

log = logging.getLogger(__name__)
T = TypeVar("T")

KINDS = {".png": "image/png", ".tif": "image/tiff"}  # all others are of no known type
STATUS: Mapping[type[UserError], int] = {
    UnknownRunError: 404,
    TooLargeError: 413,
    NoImageError: 415,
    FailedError: 500,
    BusyError: 503,
}
PARAMETERS = ("run", "direction", "load_size")
USAGE = "send its bytes as the body, as curl --data-binary @horse.jpg does"


def add_addresses(app: FastAPI, service: Service) -> None:
    """Add them to a web application."""

    @app.get("/runs")
    def runs() -> JSONResponse:
        found = [(run, run.directions()) for run in service.runs.all()]
        return JSONResponse(
            [{"run": run.name, "directions": ways, "load_size": run.load_size()} for run, ways in found]
        )

    @app.post("/translate")
    async def translate(request: Request) -> Response:
        try:
            order = _order(request)
            service.queue.refuse_if_full()  # sooner than after a long upload
        except UserError as error:
            log.info("%s program: refused: %s", who(request.scope), printable(str(error)))
            return _refusal(error)
        sent = service.store.new("sent")
        try:
            await _save(request, sent)
            answer = await _unless_gone(request, service.do(order, "program", lambda: _answer(service, order, sent)))
        except UserError as error:
            return _refusal(error)
        except ClientDisconnect:
            answer = None
        finally:
            service.store.drop(sent)
        return _file(*answer) if answer else Response(status_code=499)  # nobody reads that


def _order(request: Request) -> Order:
    """Read the parameters of an address."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise NoImageError(f"this is a form, not an image; {USAGE}")
    given = request.query_params
    unknown = [name for name in given if name not in PARAMETERS]
    if unknown:
        raise UserError(f"unknown parameter {unknown[0][:40]!r}; there are: {', '.join(PARAMETERS)}")
    size = given.get("load_size", "0")
    if not (size.isascii() and size.isdigit() and len(size) < 6):
        raise UserError(f"load_size={size[:20]!r} is no number of pixels; leave it out for the image's own size")
    return Order(who(request.scope), given.get("run", ""), given.get("direction", ""), int(size))


async def _save(request: Request, path: Path) -> None:
    """Write the body to a file: many that wait would take much memory."""
    with path.open("wb") as file:
        async for part in request.stream():
            file.write(part)


def _answer(service: Service, order: Order, sent: Path) -> tuple[str, tuple[bytes, str]]:
    """Translate, in the thread of the queue; return a word for the log, the file and its suffix."""
    data = sent.read_bytes()
    if not data:
        raise NoImageError(f"there is no image; {USAGE}")
    done = service.translate(order, data, "sent")
    return done.told, encoded(done.made.raster, done.given.header)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Wait for some work; give it up, and return None, when nobody waits for its result any more."""

    async def disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(disconnected())
    await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if doing.done():
        return doing.result()
    doing.cancel()
    return None


def _file(data: bytes, suffix: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="translation{suffix}"'}
    return Response(data, media_type=KINDS.get(suffix, "application/octet-stream"), headers=headers)


def _refusal(error: UserError) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return JSONResponse({"error": str(error)}, status, {"Retry-After": "30"} if status == 503 else None)
