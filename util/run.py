"""The run folder, the log, and how a mistake of the user ends a program."""

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from options.errors import UserError
from options.schema import Options
from options.stored import write_options
from util.distributed import World
from util.sinks.console import BarSafeHandler

log = logging.getLogger(__name__)

_ELSEWHERE = "; choose another place"
_ADVICE = {errno.ENOSPC: "; make room", errno.EACCES: _ELSEWHERE, errno.EPERM: _ELSEWHERE, errno.EROFS: _ELSEWHERE}


def make_folder(path: Path) -> Path:
    """Create a folder that files can be written to.

    Raises:
        UserError: it cannot be created or written.
    """
    probe = path / ".writable"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"cannot write to the folder {path} ({error.strerror}); choose another place") from error
    return path


def run_folder(opt: Options) -> Path:
    """Return ``<checkpoints_dir>/<name>``."""
    return Path(opt.run.checkpoints_dir, opt.run.name)


def record_options(opt: Options, world: World) -> None:
    """Make the run folder, write the options there and print them.

    Raises:
        UserError: the folder cannot be written.
    """
    if world.is_main:
        folder = run_folder(opt)
        if opt.is_train:
            make_folder(folder)
        log.info("%s", write_options(opt, folder))


@contextlib.contextmanager
def entry_point(program: str) -> Iterator[None]:
    """Start the log; turn a ``UserError`` into one sentence and exit code 2."""
    _start_log(is_main=os.environ.get("RANK", "0") == "0")
    try:
        yield
    except UserError as error:
        print(f"{program}: error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"{program}: error: {error.strerror or error}{where}{_ADVICE.get(error.errno or 0, '')}", file=sys.stderr)
        sys.exit(2)
    except torch.cuda.OutOfMemoryError as error:
        advice = "lower --batch_size, --crop_size or --ngf"
        print(f"{program}: error: not enough memory, {advice} ({error})", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"\n{program}: stopped", file=sys.stderr, flush=True)
        sys.exit(130)


def _start_log(*, is_main: bool) -> None:
    """Send the program's messages to standard output, bare; other processes only warn."""
    handler = BarSafeHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if is_main else logging.WARNING)
