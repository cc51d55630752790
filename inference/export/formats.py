"""The formats that hold a whole program: how each is made of a network, and how its files run again."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import nn

from inference.export.check import Runner
from inference.export.onnx_file import onnx_content, onnx_model, run_onnx
from inference.export.pytorch_file import (
    exported_program,
    run_torch_export,
    run_torchscript,
    torch_export_content,
    torchscript,
    torchscript_content,
)
from options.errors import UserError


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        suffix: of file names.
        graph: returns the program of a portable network, for as many channels as it takes.
        content: returns the content of a file with a program and what is to be known of it.
        run: returns what translates with such a content.
    """

    suffix: str
    graph: Callable[[nn.Module, int], Any]
    content: Callable[[Any, Mapping[str, str]], bytes]
    run: Callable[[bytes], Runner]


FORMATS = {
    "onnx": Format(".onnx", onnx_model, onnx_content, run_onnx),
    "torchscript": Format(".ts.pt", torchscript, torchscript_content, run_torchscript),
    "torch_export": Format(".pt2", exported_program, torch_export_content, run_torch_export),
}
ONNX = ("onnx", "onnxscript", "onnxruntime")
PACKAGES = {"onnx": ONNX, "web": (*ONNX, "requests")}  # that only these need


def check_packages(kind: str) -> None:
    """Refuse a format whose packages are not there.

    Raises:
        UserError: some are missing; says what to type.
    """
    missing = [name for name in PACKAGES.get(kind, ()) if importlib.util.find_spec(name) is None]
    if missing:
        few = f"the package{'s' * (len(missing) > 1)} {' and '.join(missing)}"
        raise UserError(f"--to {kind} needs {few}; type: pip install {' '.join(missing)}")
