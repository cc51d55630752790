"""The log, the options on record, and how a program ends."""

import contextlib
import errno
import logging
import multiprocessing
import os
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import torch

from options.errors import StoppedError, UserError
from options.schema import Options
from options.stored import write_options
from util.distributed import World, hosts
from util.files import LineWriter
from util.log import LAST_WARNING, BarSafeHandler
from util.run_folder import COMMANDS_FILE, run_folder

log = logging.getLogger(__name__)

_ELSEWHERE = "; choose another place"
_ADVICE = {errno.ENOSPC: "; make room", errno.EACCES: _ELSEWHERE, errno.EPERM: _ELSEWHERE, errno.EROFS: _ELSEWHERE}


def record_options(opt: Options, world: World) -> None:
    """Write the options, and the command of a training, to the run folder; print the options."""
    if world.is_main:
        log.info("%s", write_options(opt, run_folder(opt)))
        if opt.is_train:
            record_command(run_folder(opt), world)


def record_command(folder: Path, world: World) -> None:
    """Append how this program was started, with the time, to ``commands.txt``."""
    words = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]).replace("\n", " ")
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    LineWriter(folder / COMMANDS_FILE).write(f"{now} {launcher(world)} {words}")


def launcher(world: World) -> str:
    """Return what comes before the name of the program."""
    if world.size == 1:
        return "python"
    here = os.environ.get("LOCAL_WORLD_SIZE", world.size)
    return f"torchrun --nproc_per_node={here}" + (f" --nnodes={hosts()} (and so on, on each)" if hosts() > 1 else "")


def resume_command(opt: Options, world: World) -> str:
    """Return what to type to go on with a run."""
    where = () if opt.run.checkpoints_dir == "./checkpoints" else ("--checkpoints_dir", opt.run.checkpoints_dir)
    return f"{launcher(world)} train.py {shlex.join(['--name', opt.run.name, *where, '--continue_train'])}"


@contextlib.contextmanager
def entry_point(program: str) -> Iterator[None]:
    """Start the log; turn a ``UserError`` into one sentence and exit code 2.

    A signal's exit code is 128 plus its number.
    """
    _start_log(is_main=os.environ.get("RANK", "0") == "0")
    try:
        yield
        if _is_one_of_several():
            _leave(0)
    except UserError as error:
        who = f"process {os.environ.get('RANK')}: " if _is_one_of_several() else ""
        print(f"{program}: error: {who}{error}", file=sys.stderr, flush=True)
        _leave(2)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"{program}: error: {error.strerror or error}{where}{_ADVICE.get(error.errno or 0, '')}", file=sys.stderr)
        _leave(2)
    except torch.cuda.OutOfMemoryError as error:
        advice = "lower --batch_size, --crop_size or --ngf"
        print(f"{program}: error: not enough memory, {advice} ({error})", file=sys.stderr)
        _leave(2)
    except StoppedError as stop:
        _leave(stop.exit_code)
    except KeyboardInterrupt:
        print(f"\n{program}: stopped", file=sys.stderr, flush=True)
        _leave(130)


def speak_on_standard_error() -> None:
    """Send messages there from now on, where standard output is for what the program makes."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, BarSafeHandler):
            handler.setStream(sys.stderr)


def speak(*, quiet: bool) -> None:
    """Keep to ``--quiet``: from now on only warnings are shown."""
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)


def refuse_several(program: str) -> None:
    """Raise a ``UserError`` where ``torchrun`` has started more than one process."""
    if _is_one_of_several():
        count = os.environ.get("WORLD_SIZE")
        raise UserError(f"{program} works in one process, not {count}; start it without torchrun")


def _is_one_of_several() -> bool:
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def _leave(code: int) -> NoReturn:
    """End the program.

    One process of several ends without Python's own cleaning up, in which a thread of gloo sometimes aborts (3 of 24
    runs with PyTorch 2.15), so that a finished training would count as failed.
    """
    if _is_one_of_several():
        for child in multiprocessing.active_children():
            child.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _start_log(*, is_main: bool) -> None:
    """Send the program's messages to standard output, bare; other processes only warn."""
    handler = BarSafeHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    LAST_WARNING.text = ""
    root.handlers[:] = [handler, LAST_WARNING]
    root.setLevel(logging.INFO if is_main else logging.WARNING)
