"""Ways to spoil a checkpoint file."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class Malicious:
    """Unpickling it makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


def save_with_code(path: Path) -> None:
    torch.save({"model.1.weight": Malicious()}, path)


def save_with_code_in_the_old_format(path: Path) -> None:
    torch.save({"model.1.weight": Malicious()}, path, _use_new_zipfile_serialization=False)


def write_a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Malicious(), protocol=2))


def write_a_whole_network(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def keep_the_first_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def fill_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def write_a_web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>404 not found</html>")


Damage = Callable[[Path], None]
WITH_CODE: list[Damage] = [
    save_with_code,
    save_with_code_in_the_old_format,
    write_a_pickle,
    write_a_whole_network,
]
DAMAGED: list[Damage] = [cut_in_half, keep_the_first_bytes, empty, fill_with_zeros, write_a_web_page]
