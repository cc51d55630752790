"""Visdom's web application with its weak points mended: saving, the login, users without a name.

Nothing listens yet; see ``server.serve``.
"""

import asyncio
import getpass
import json
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from options.errors import UserError
from util.dashboard import environments

if TYPE_CHECKING:
    from visdom.server.app import Application

PAGE_SECONDS = 0.5  # the page asks for its width after 0.2 s
# Smooth images; no link that would send a chart to a stranger's site.
STYLE = "\n.content-image { image-rendering: auto }\n.js-link-to-tool { display: none }\n"


class Login(NamedTuple):
    """Who may see and change the dashboard."""

    user: str
    password: str


def login_from_environment() -> Login:
    """Return the login from ``VISDOM_USERNAME`` and ``VISDOM_PASSWORD``.

    Raises:
        UserError: one of them is not set.
    """
    variables = ("VISDOM_USERNAME", "VISDOM_PASSWORD")
    unset = [name for name in variables if not os.environ.get(name)]
    if unset:
        raise UserError(
            f"--login needs {' and '.join(unset)} in the environment; type: "
            "VISDOM_USERNAME=... VISDOM_PASSWORD=... python -m util.dashboard --login"
        )
    return Login(*(os.environ[name] for name in variables))


def normal_base_url(text: str) -> str:
    """Return '' or '/x' without a slash at the end, as visdom wants it.

    Raises:
        UserError: it holds more than letters, digits and ``/ . ~ _ -``.
    """
    if not re.fullmatch(r"[A-Za-z0-9/.~_-]*", text):
        raise UserError(f"--base_url {text!r} is not the path of a page; type for example: --base_url /visdom")
    return "".join(f"/{part}" for part in text.split("/") if part)


def build_application(port: int, env_path: Path, *, base_url: str = "", login: Login | None = None) -> "Application":
    """Build visdom's application for one server in this process.

    Args:
        port: to be named on its pages.
        env_path: folder of the saved environments; made if need be.
        base_url: '' or the path of the dashboard behind a reverse proxy, such as '/visdom'.
        login: what to ask of everybody; None asks nothing.

    Raises:
        OSError: the folder cannot be used.
    """
    from visdom.server import app
    from visdom.server.handlers.base_handlers import BaseWebSocketHandler
    from visdom.utils.server_utils import hash_password

    (env_path / "view").mkdir(parents=True, exist_ok=True)  # visdom's attempt ends in an assertion
    environments.take_over()
    _name_the_user()
    app.tornado_settings["autoreload"] = False  # visdom's debug mode restarts when a source file changes
    app.tornado_settings["cookie_secret"] = secrets.token_hex(32)
    application = app.Application(  # type: ignore[no-untyped-call]
        port=port, base_url=base_url, env_path=f"{env_path}/"
    )
    application.user_settings["user_css"] += STYLE
    _mend_environments()
    _keep_strangers_out()
    if login is not None:
        # Not by the constructor: it reads the cookies' secret from a file in the home folder.
        application.login_enabled = True
        twice = hash_password(hash_password(login.password))  # type: ignore[no-untyped-call]
        application.user_credential = {"username": login.user, "password": twice}
        BaseWebSocketHandler.prepare = _turn_strangers_away  # type: ignore[method-assign, assignment]
    return application


def _mend_environments() -> None:
    """Send windows to a page only when it knows its width; sooner it would place them as for another one.

    Refuse names of environments that lead out of the folder when they are saved or deleted.
    """
    from visdom.server.handlers.web_handlers import EnvHandler

    original = EnvHandler.post
    if getattr(original, "is_mended", False):
        return

    async def post(handler: Any, name: str) -> None:  # Any: one of visdom's handlers
        asked = json.loads(handler.request.body or "{}")
        if re.search(r"[/\\]|\.\.", f"{name} {asked.get('eid', '')}"):
            handler.set_status(403)
            return
        if "sid" in asked:
            await asyncio.sleep(PAGE_SECONDS)
        original(handler, name)

    post.is_mended = True  # type: ignore[attr-defined]
    EnvHandler.post = post  # type: ignore[method-assign]


def _keep_strangers_out() -> None:
    """Answer pages of this server and programs, but no page of another site in the same browser."""
    from tornado.websocket import WebSocketHandler
    from visdom.server.handlers import base_handlers, socket_handlers

    for handler in (socket_handlers.SocketHandler, socket_handlers.VisSocketHandler):
        handler.check_origin = WebSocketHandler.check_origin  # type: ignore[method-assign]
    base_handlers.BaseHandler.prepare = _refuse_foreign_pages  # type: ignore[method-assign, assignment]


def _refuse_foreign_pages(handler: Any) -> None:  # Any: one of visdom's handlers
    origin = handler.request.headers.get("Origin")
    if origin and urlsplit(origin).netloc.lower() != handler.request.headers.get("Host", "").lower():
        handler.set_status(403)
        handler.finish()


def _turn_strangers_away(handler: Any) -> None:  # Any: one of visdom's handlers
    """Refuse a web socket without a login; visdom closes it, but obeys it for up to five seconds."""
    if handler.login_enabled and not handler.current_user:
        handler.set_status(403)
        handler.finish()


def _name_the_user() -> None:
    """Give a name to a user without one, as in many containers; visdom shows it and fails otherwise."""
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["USER"] = "visdom"
