"""Put the page together: the guard, the addresses for programs, and Gradio, which is kept to itself."""

import importlib.metadata
import importlib.util
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from inference.app.service import Service, printable
from options.app import AppOptions, Login
from options.errors import UserError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)

GRADIO = 6  # the oldest version that will do
TOGETHER = 10  # of the largest files in one upload
FOLDERS: set[Path] = set()  # of the uploads and results of the pages of this process; requests may name files in these


def require_gradio() -> None:
    """Raise a UserError if Gradio is missing or too old."""
    if importlib.util.find_spec("gradio") is None:
        raise UserError("app.py needs the package gradio; pip install gradio")
    version = importlib.metadata.version("gradio")
    if int(version.split(".")[0]) < GRADIO:
        raise UserError(f"app.py needs gradio {GRADIO} or newer, not {version}; pip install --upgrade gradio")


def build_app(service: Service, opt: AppOptions, login: Login | None = None) -> "ASGIApp":
    """Return the whole web application: the page, the addresses for programs, and the guard before both."""
    _keep_to_itself(service.store.folder)
    import gradio as gr
    from fastapi import FastAPI

    from inference.app.guard import SMALL, TRANSLATE, UPLOAD, Guard
    from inference.app.layout import CSS, build, theme
    from inference.app.rest import add_addresses

    page = build(service, examples=opt.examples, most_waiting=opt.max_waiting)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_addresses(app, service)
    page.enable_monitoring = False
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        max_file_size=opt.upload_bytes,
        show_error=False,
        allowed_paths=[],
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        theme=theme(),
        css=CSS,
    )
    page.has_launched = True  # else Gradio does not check which files a request may name
    limits = {UPLOAD: TOGETHER * opt.upload_bytes + SMALL, TRANSLATE: opt.upload_bytes}
    return Guard(app, login=login, limit=lambda path: limits.get(path, SMALL), is_full=service.store.is_full)


def _keep_to_itself(folder: Path) -> None:
    """Tell Gradio, before it is imported, where files go, and to call nobody on the internet."""
    FOLDERS.add(folder)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    for name in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from gradio import Error, processing_utils, routes

    vars(routes)["DEFAULT_TEMP_DIR"] = str(folder)  # from the environment, but read once in a process

    async def refuse(url: str, cache_dir: str) -> str:
        raise Error("send the image itself, not its address", print_exception=False)

    def check(path: str | Path, check_in_upload_folder: bool) -> None:
        if not any(Path(os.path.abspath(path)).is_relative_to(folder) for folder in FOLDERS):
            log.warning("refused: a request names %s, which is none of the files that were sent", printable(str(path)))
            raise Error("only files that were sent here can be used", print_exception=False)

    processing_utils.async_ssrf_protected_download = refuse
    processing_utils._check_allowed = check
