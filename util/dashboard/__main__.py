"""``python -m util.dashboard``: start the dashboard's server, show finished runs, complete the files of its page."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from options.arguments import QuietParser
from options.errors import UserError
from util.dashboard import browser_files, server
from util.dashboard.address import parse_address
from util.dashboard.application import login_from_environment, normal_base_url

PROGRAM = "python -m util.dashboard"


def add_serve(commands: Any) -> None:  # Any: argparse keeps the type to itself
    """Add the command that runs a server."""
    about = "Run a server on this machine; Ctrl-C saves the dashboards and ends it."
    parser = commands.add_parser("serve", help="run a server (the default)", description=about)
    add, kept = parser.add_argument, "where dashboards are kept; default: %(default)s"
    add("--port", type=_port, default=8097, metavar="N", help="default: %(default)s")
    add("--env_path", type=Path, default=Path("~/.visdom"), metavar="FOLDER", help=kept)
    add(
        "--base_url", default="", metavar="PATH", help="path behind a reverse proxy, for example /visdom; default: none"
    )
    add("--login", action="store_true", help="ask for the user VISDOM_USERNAME and the password VISDOM_PASSWORD")
    add("--background", action="store_true", help=argparse.SUPPRESS)
    add("--ends_with_stdin", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run_serve)


def run_serve(flags: argparse.Namespace) -> None:
    """Serve until the end."""
    # Visdom's client, which comes with its server, imports torch where it can: a second and much memory for nothing.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    login = login_from_environment() if flags.login else None
    try:
        server.serve(
            flags.port,
            flags.env_path.expanduser().resolve(),
            base_url=normal_base_url(flags.base_url),
            login=login,
            background=flags.background,
            ends_with_stdin=flags.ends_with_stdin,
        )
    except OSError as error:
        raise UserError(f"no server on port {flags.port} ({error}); pass another --port or --env_path") from error


def add_files(commands: Any) -> None:  # Any: as above
    """Add the command that completes the files of the page."""
    about = "Download the scripts and styles without which the dashboard's page stays blank, or copy them."
    parser = commands.add_parser("files", help="complete the files of the dashboard's page", description=about)
    where = "copy them: from visdom's folder 'static' of another machine, or from one that holds them by name"
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help=where)
    parser.set_defaults(run=run_files)


def run_files(flags: argparse.Namespace) -> None:
    """Complete the files and say what came."""
    added = browser_files.copy_from(flags.folder.expanduser()) if flags.folder else browser_files.fetch()
    number, folder = len(browser_files.names()), browser_files.static_folder()
    if added:
        print(f"{len(added)} of {number} browser files were missing and are now in {folder}")
    else:
        print(f"all {number} browser files are there")


def add_replay(commands: Any) -> None:  # Any: as above
    """Add the command that shows runs from their folders."""
    about = "Show finished runs, and those trained without a server. A local server is started if none answers."
    parser = commands.add_parser("replay", help="show runs from their folders", description=about)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run, or its name in --checkpoints_dir")
    parser.add_argument("--checkpoints_dir", type=Path, default=Path("checkpoints"), metavar="FOLDER")
    parser.add_argument("--display_server", default="http://localhost", metavar="URL", help="default: %(default)s")
    parser.add_argument("--display_port", "--port", type=_port, default=8097, metavar="N", help="default: %(default)s")
    parser.add_argument("--display_env", default="", metavar="NAME", help="default: the name of the run")
    parser.add_argument("--display_ncols", type=int, default=4, metavar="N", help="images in a row; default: 4")
    parser.set_defaults(run=run_replay)


def run_replay(flags: argparse.Namespace) -> None:
    """Show each run and say where."""
    from util.dashboard.replay import replay  # late: it imports PyTorch, which a server has no use for
    from util.dashboard.windows import Layout
    from util.run_folder import METRICS_FILE, find_metrics

    address = parse_address(flags.display_server, flags.display_port)
    for number, run in enumerate(flags.runs, 1):
        file = find_metrics(run, flags.checkpoints_dir)
        if file.name != METRICS_FILE:
            raise UserError(f"{file} was put aside; give the folder of a run")
        folder = file.parent
        prefix = f"{folder.name}: " if flags.display_env else ""
        window_id = number if flags.display_env else 1  # several runs may share an environment
        print(replay(folder, address, env=flags.display_env, layout=Layout(window_id, prefix, flags.display_ncols)))


COMMANDS = (add_serve, add_replay, add_files)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default ``serve``; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "serve")
    parser = QuietParser(
        prog=PROGRAM,
        description="The live dashboard of trainings, in a browser.",
        epilog=f"Without a command it serves: {PROGRAM} --port 8097. Flags of a command: {PROGRAM} serve --help",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    _quieten()
    try:
        flags = parser.parse_args(words)
        flags.run(flags)
    except UserError as error:
        return _refuse(str(error))
    except ImportError as error:
        return _refuse(f"visdom cannot be imported ({error}); type: {server.INSTALL}")
    except OSError as error:
        return _refuse(f"{error.strerror or error} ({error.filename})")
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped", file=sys.stderr)
        return 130
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 65535")
    return int(text)


def _quieten() -> None:
    """Leave only warnings of our own: visdom logs each request on the root logger."""
    logging.basicConfig(level=logging.CRITICAL, format="%(message)s")
    logging.getLogger("util.dashboard").setLevel(logging.WARNING)
    logging.getLogger("tornado.application").setLevel(logging.ERROR)


def _refuse(sentence: str) -> int:
    print(f"{PROGRAM}: error: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
