"""``python -m util.visdom_server``: a Visdom server for this machine only, also without a network.

Visdom's own command listens on every interface and ends with an error when it cannot download its browser
files. This one listens on 127.0.0.1 at once and fetches those files meanwhile, if they are missing.
"""

import argparse
import contextlib
import http.client
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 10.0
CONSTRAINTS = "PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt"
INSTALL = f"{CONSTRAINTS} pip install -r requirements.txt"
# Without one of these the page stays blank; the package brings none of them.
BROWSER_FILES = (
    "js/jquery.min.js",
    "js/bootstrap.min.js",
    "js/react-react.min.js",
    "js/react-dom.min.js",
    "js/layout_bin_packer.js",
    "js/plotly-plotly.min.js",
    "css/bootstrap.min.css",
    "css/react-grid-layout-styles.css",
    "css/react-resizable-styles.css",
)


def answers(server: str, port: int, timeout: float) -> bool:
    """Tell whether something speaks HTTP there; waits at most about ``timeout`` seconds."""
    address = urlsplit(server if "//" in server else f"http://{server}")
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "localhost", port, timeout=timeout)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def listens(port: int) -> bool:
    """Tell whether a program on this machine has the port, even one that hangs."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def start_background(port: int, *, env_path: Path | None = None) -> int:
    """Start a server that outlives this process and wait until it answers.

    Returns:
        Its process id.

    Raises:
        ConnectionError: it ended at once (is the port taken?) or did not answer in time.
    """
    command = [sys.executable, "-m", "util.visdom_server", "--port", str(port)]
    command += ["--env_path", str(env_path.resolve())] if env_path else []
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answers("http://127.0.0.1", port, timeout=1):
            # Reaps the child if it ends first, so that it does not linger as a zombie.
            threading.Thread(target=process.wait, name="visdom-server-wait", daemon=True).start()
            return process.pid
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise ConnectionError(f"the Visdom server did not start on port {port}")


def missing_browser_files() -> list[str]:
    """Return the files that the dashboard's page needs and the installed visdom package lacks."""
    return [name for name in BROWSER_FILES if not (_static_folder() / name).is_file()]


def _static_folder() -> Path:
    import visdom

    return Path(visdom.__file__).parent / "static"


def _fetch_browser_files() -> None:
    """Let visdom download what is missing; say in one line if the page will stay blank."""
    from visdom.server.build import download_scripts

    reason = "no answer from the download sites"
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            download_scripts()  # type: ignore[no-untyped-call]
    except OSError as error:  # requests' errors, and a folder that is not ours to write
        reason = type(error).__name__
    missing = missing_browser_files()
    if missing:
        log.warning(
            "the dashboard's page will stay blank: %d of its files are missing from %s and could not be "
            "downloaded (%s); start this once with internet access, or copy that folder from a machine "
            "that has them",
            len(missing),
            _static_folder(),
            reason,
        )


def serve(port: int, env_path: Path) -> None:
    """Run a server on 127.0.0.1 until it is interrupted.

    Raises:
        OSError: the port cannot be listened on.
    """
    from tornado.ioloop import IOLoop
    from visdom.server import app

    env_path.mkdir(parents=True, exist_ok=True)
    app.tornado_settings["autoreload"] = False  # visdom's debug mode restarts when a source file changes
    application = app.Application(  # type: ignore[no-untyped-call]
        port=port, base_url="", env_path=f"{env_path}/"
    )
    application.listen(port, address="127.0.0.1", max_buffer_size=1024**3)
    print(f"Visdom dashboard: http://localhost:{port} (Ctrl-C ends the server)", flush=True)
    if missing_browser_files():
        threading.Thread(target=_fetch_browser_files, name="visdom-download", daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        IOLoop.current().start()


def main(arguments: list[str] | None = None) -> int:
    """Parse the flags and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m util.visdom_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--env_path", type=Path, default=Path("~/.visdom"), help="where saved dashboards are kept")
    flags = parser.parse_args(arguments)
    # visdom logs each request and each failed download on the root logger.
    logging.basicConfig(level=logging.CRITICAL, format="%(message)s")
    log.setLevel(logging.WARNING)
    logging.getLogger("tornado.application").setLevel(logging.ERROR)
    # Its client part imports torch where it can: a second and much memory that a server has no use for.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    try:
        serve(flags.port, flags.env_path.expanduser().resolve())
    except ImportError as error:
        return _refuse(f"visdom cannot be imported ({error}); type: {INSTALL}")
    except OSError as error:
        return _refuse(f"no Visdom server on port {flags.port} ({error}); pass another --port or --env_path")
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
