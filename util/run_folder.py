"""The folder of a run: where it is, what in it belongs to the run, and removing that."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from options.errors import UserError
from options.schema import Options
from util.checkpoint import AVERAGED, PREVIOUS_STATE_FILE, STATE_FILE
from util.files import TEMPORARY

WEIGHTS = ("*_net_*.pth", "*_net_*.safetensors")
STATES = (STATE_FILE, PREVIOUS_STATE_FILE)
DIVERGED_STATE_FILE, DAMAGED_STATE_FILE = "diverged_state.pth", "damaged_state.pth"  # kept for inspection
STARTED_FILE = ".started"  # which launch trains here; older than every save of it
METRICS_FILE, COMMANDS_FILE, WANDB_RUN_FILE = "metrics.jsonl", "commands.txt", "wandb_run.txt"
RECORDS = ("train_opt.*", COMMANDS_FILE, WANDB_RUN_FILE, "loss_log.txt", "metrics*.jsonl", "web", "tensorboard")
ODD = re.compile(r"[^\w.-]")
IMAGE, SAMPLES = re.compile(r"epoch(\d{3,})_(.+)"), "samples"
NUMBERED = re.compile(r"(iter_)?(\d+)")  # the prefixes of saves that are not replaced by the next


def image_path(epoch: int, label: str, kind: str = "png") -> str:
    """Return where a sample image of an epoch lies, relative to ``web``; odd characters of the label become ``-``."""
    return f"images/epoch{epoch:03d}_{ODD.sub('-', label)}.{kind}"


def sample_sheets(folder: Path) -> list[tuple[int, Path]]:
    """Return the sheets of held-out samples in a run folder, with their epochs, oldest first."""
    return [(epoch, path) for epoch, label, path in _page_files(folder, "jpg") if label == SAMPLES]


def image_files(folder: Path) -> list[tuple[int, str, Path]]:
    """Return the images of training images in a run folder, with epoch and label, oldest epoch first."""
    return _page_files(folder, "png")


def _page_files(folder: Path, kind: str) -> list[tuple[int, str, Path]]:
    paths = (folder / "web" / "images").glob(f"epoch*.{kind}")
    matches = [(IMAGE.fullmatch(path.stem), path) for path in paths]
    return sorted((int(match[1]), match[2], path) for match, path in matches if match)


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


def find_metrics(given: str, checkpoints_dir: Path) -> Path:
    """Return the file of reports of a run that is given as its folder, its name or that file.

    Raises:
        UserError: there is none.
    """
    places = list(dict.fromkeys((Path(given).expanduser(), checkpoints_dir / given)))
    for path in (path for place in places for path in (place / METRICS_FILE, place)):
        if path.is_file():
            return Path(os.path.abspath(path))
    tried = " or ".join(map(str, places))
    raise UserError(f"there is no {METRICS_FILE} in {tried}; pass a run that has reported losses, or --checkpoints_dir")


def refuse_old_run(folder: Path) -> None:
    """Do not mix a new run with what an older one has learned.

    Raises:
        UserError: there are weights or states in the folder.
    """
    found = next(_matches(folder, (*STATES, *WEIGHTS)), None)
    if found:
        raise UserError(
            f"{folder} holds a run already ({found.name}); go on with it (--continue_train), delete it (--overwrite) "
            "or choose another --name"
        )


def clear_run(folder: Path) -> None:
    """Delete what a run has written, and nothing else."""
    for path in list(_matches(folder, (*STATES, DIVERGED_STATE_FILE, DAMAGED_STATE_FILE, *WEIGHTS, *RECORDS))):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def remove_leftovers(folder: Path) -> None:
    """Delete the halves of files that a killed process was writing."""
    for path in folder.rglob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def prune(folder: Path, networks: Iterable[str], keep_last: int, saved_as: Iterable[str]) -> None:
    """Delete the weights, and their averages, of older numbered saves of the kinds just saved, epochs or iterations.

    Args:
        networks: whose files to look at.
        keep_last: how many of a kind to keep; 0 keeps all.
        saved_as: prefixes just saved. A file with a higher number is of a run that was taken up again at an earlier
            epoch, and older than all.
    """
    newest = {match[1] or "": int(match[2]) for prefix in saved_as if (match := NUMBERED.fullmatch(prefix))}
    for network in networks if keep_last else ():
        files: dict[str, list[tuple[bool, int, Path]]] = {kind: [] for kind in newest}
        for path in folder.glob(f"*_net_{network}.pth"):
            match = NUMBERED.fullmatch(path.name.removesuffix(f"_net_{network}.pth"))
            if match and (kind := match[1] or "") in newest:
                files[kind].append((int(match[2]) <= newest[kind], int(match[2]), path))
        for found in files.values():
            for *_, path in sorted(found)[:-keep_last]:
                averaged = path.with_stem(path.stem + AVERAGED)
                for old in (path, averaged, averaged.with_suffix(".safetensors")):
                    old.unlink(missing_ok=True)


def _matches(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(folder.glob(pattern)))
