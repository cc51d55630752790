"""Checkpoint files: written whole or not at all, verified, read without running code from them.

The checksum is the CRC-32 that a ``torch.save`` file, which is a zip archive, keeps of each of its records;
``torch.load`` does not look at it, so this module does.
"""

import errno
import os
import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from options.errors import DamagedError, UserError
from util.files import TEMPORARY
from util.safetensors_file import read_safetensors

STATE_FILE = "latest_state.pth"
PREVIOUS_STATE_FILE = "previous_state.pth"
DOS_FOLDER = 0x10  # an attribute that no record has, and that makes PyTorch read nothing into its tensor
AVERAGED = "_ema"  # ends the name of a network in the file of its averaged weights


def weights_path(folder: Path, prefix: str, network: str) -> Path:
    """Return the official file name, such as ``latest_net_G_A.pth`` or ``iter_5000_net_D.pth``."""
    return folder / f"{prefix}_net_{network}.pth"


def existing_weights(folder: Path, prefix: str, network: str) -> Path | None:
    """Return the file that holds a network's weights, ``.pth`` or ``.safetensors``, if there is one."""
    path = weights_path(folder, prefix, network)
    return next((p for p in (path, path.with_suffix(".safetensors")) if p.exists()), None)


def prefix_of(epoch: str, load_iter: int) -> str:
    """Return the first part of the file name that ``--epoch`` and ``--load_iter`` ask for."""
    return f"iter_{load_iter}" if load_iter > 0 else epoch


def save_file(value: Any, path: Path, *, previous: Path | None = None) -> None:
    """Write tensors and plain containers so that ``path`` is the old file or the new one, never a part.

    Args:
        previous: where the old file goes once the new one is written and verified; without it, it is gone.

    Raises:
        OSError: the disk is full or read-only, or did not keep what was written; the old file is untouched.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with open(temporary, "wb") as file:
            try:
                torch.save(value, file)
            except RuntimeError as error:  # torch's word for a write that the system refused
                raise OSError(errno.ENOSPC, "the write was cut off, most likely by a full disk") from error
            file.flush()
            os.fsync(file.fileno())
        if not (zipfile.is_zipfile(temporary) and is_whole(temporary)):
            raise OSError(errno.EIO, "the disk did not keep what was written")
        if previous and path.exists():
            os.replace(path, previous)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Tell whether the records of a zip archive have their checksums; older kinds of file have none and pass.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        if not zipfile.is_zipfile(path):
            return True
        with zipfile.ZipFile(path) as archive:
            folders = any(entry.external_attr & DOS_FOLDER for entry in archive.infolist())
            return not folders and archive.testzip() is None
    except (OSError, MemoryError):
        raise
    except Exception:  # noqa: BLE001  # a dozen kinds, depending on the byte that is wrong
        return False


def load_file(path: Path) -> Any:
    """Read what ``save_file`` or the official code wrote, onto the CPU.

    Raises:
        DamagedError: the file is not whole, or holds more than tensors and plain containers.
        UserError: it is missing or cannot be read.
    """
    try:
        if not is_whole(path):
            raise DamagedError(_damaged(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on foreign pickles; ours is in the error
            return torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"there is no checkpoint {path}; check --name, --checkpoints_dir and --epoch") from None
    except pickle.UnpicklingError as error:
        if any(word in str(error) for word in ("GLOBAL", "reduce", "Unsupported class")):
            raise DamagedError(
                f"{path} holds code or objects beside tensors and was not opened; "
                "a checkpoint must be a plain state_dict saved by torch.save"
            ) from None
        raise DamagedError(_damaged(path)) from error
    except (MemoryError, OSError) as error:
        if getattr(error, "errno", None) == errno.EINVAL:  # a place before the start of the file
            raise DamagedError(_damaged(path)) from error
        raise UserError(f"the checkpoint {path} cannot be read ({error}); nothing was changed, try again") from error
    except (RuntimeError, EOFError, LookupError, ValueError, AssertionError, struct.error) as error:
        if "allocate memory" in str(error):
            raise UserError(f"there is not enough memory to read the checkpoint {path}") from error
        raise DamagedError(_damaged(path)) from error


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a network's weights from a ``.pth`` or ``.safetensors`` file, in the names of a single-process network.

    Raises:
        UserError: as ``load_file``, or the file holds something else than weights.
    """
    value = read_safetensors(path)[0] if path.suffix == ".safetensors" else load_file(path)
    if not isinstance(value, Mapping) or not all(isinstance(item, Tensor) for item in value.values()):
        raise UserError(f"{path} is not the weights of a network but a {type(value).__name__}; give a *_net_*.pth file")
    return {str(key).removeprefix("module."): item for key, item in value.items()}


def _damaged(path: Path) -> str:
    return f"the checkpoint {path} is damaged or cut off; restore it from a copy, or choose another with --epoch"


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; not every system can open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
