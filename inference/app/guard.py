"""The door of the whole server: who is let in, what is taken, and which of Gradio's addresses exist.

It stands before every route, as some of Gradio's own ask for no login.
"""

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.app.service import printable
from options.app import Login

log = logging.getLogger(__name__)

UPLOAD, FILE, TRANSLATE = "/gradio_api/upload", "/gradio_api/file", "/translate"
SMALL = 2**20  # bytes of any request that carries no image
PATIENCE = 1.0  # seconds that a wrong password costs
# What the page and Gradio's clients need. All else that Gradio serves is closed: fetching addresses for visitors,
# editing the program, watching others ...
OPEN = re.compile(
    r"/(config/?|favicon\.ico|theme\.css|robots\.txt|manifest\.json|(assets|static|svelte)/.*|runs|translate)?"
    r"|/gradio_api/(info|app_id|user|login_check|startup-events|theme\.css|upload|upload_progress|cancel|reset)/?"
    r"|/gradio_api/(file=(?!.*://)|queue/|run/|call/|heartbeat/).*",
    re.DOTALL,
)
SAFE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # what visitors have sent runs nothing


class TooMuchError(Exception):
    """More came than is taken."""


class Guard:
    """Wraps a web application.

    Args:
        login: who is let in; None: everybody.
        limit: returns the bytes that the body of a request to a path may have.
        is_full: tells whether there is no room for more files.
    """

    def __init__(
        self, app: ASGIApp, *, login: Login | None, limit: Callable[[str], int], is_full: Callable[[], bool]
    ) -> None:
        self._app, self._limit, self._is_full = app, limit, is_full
        self._login = login and f"{login.user}:{login.password}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers, path = Headers(scope=scope), scope["path"]
        if not self._may_enter(headers):
            await self._ask_for_login(headers, scope, receive, send)
        elif refusal := self._refusal(headers, path):
            await _refuse(*refusal, scope=scope, receive=receive, send=send)
        else:
            await self._hand_on(scope, receive, send)

    def _may_enter(self, headers: Headers) -> bool:
        if self._login is None:
            return True
        kind, _, code = headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(code, validate=True) if kind.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        return hmac.compare_digest(given, self._login)

    async def _ask_for_login(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if "authorization" in headers:
            log.warning("%s: a wrong user or password", who(scope))
            await asyncio.sleep(PATIENCE)
        words = "a user and a password are needed here"
        ask = {"WWW-Authenticate": 'Basic realm="translate images", charset="UTF-8"'}
        await JSONResponse({"error": words}, 401, ask)(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> tuple[int, str] | None:
        """Return the status and the sentence for what is not even looked at."""
        origin = headers.get("origin")
        own = [headers[name].lower() for name in ("host", "x-forwarded-host") if name in headers]
        if origin and urlsplit(origin).netloc.lower() not in own:
            return 403, "pages of other sites may not use this one"
        if not OPEN.fullmatch(path):
            return 404, "there is nothing here"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._limit(path):
            return 413, f"at most {self._limit(path):,} bytes are taken here; send less"
        if path in (UPLOAD, f"{UPLOAD}/", TRANSLATE) and self._is_full():
            return 507, "the disk of this machine is full; try again later"
        return None

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes, as its length need not be told before; add headers to what goes."""
        limit, taken, over, begun = self._limit(scope["path"]), 0, False, False
        policy = SANDBOX if scope["path"].startswith(FILE) else SAFE

        async def counted() -> Message:
            nonlocal taken, over
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                over = True
                raise TooMuchError
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if over and not begun:
                return
            if message["type"] == "http.response.start":
                begun = True
                if message["status"] >= 400 and scope["path"] != TRANSLATE:  # that says itself why
                    log.info("%s %s %s: %d", who(scope), scope["method"], printable(scope["path"]), message["status"])
                extra = MutableHeaders(scope=message)
                extra["Content-Security-Policy"] = policy
                extra["X-Content-Type-Options"] = "nosniff"
                extra["Referrer-Policy"] = "no-referrer"
            await send(message)

        with contextlib.suppress(TooMuchError):
            await self._app(scope, counted, guarded)
        if over and not begun:
            await _refuse(
                413, f"at most {limit:,} bytes are taken here; send less", scope=scope, receive=receive, send=send
            )


async def _refuse(status: int, sentence: str, *, scope: Scope, receive: Receive, send: Send) -> None:
    log.info("%s %s %s: refused: %s", who(scope), scope["method"], printable(scope["path"]), sentence)
    await JSONResponse({"error": sentence}, status, {"Connection": "close"})(scope, receive, send)


def who(scope: Scope) -> str:
    """Return the address of a visitor, for the log."""
    client = scope.get("client")
    return str(client[0]) if client else "somebody"
