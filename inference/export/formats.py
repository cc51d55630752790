"""The formats that hold a whole program: how each is made of a network, and how its files run again."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import nn

from inference.export.check import Runner
from inference.export.onnx_file import onnx_file, run_onnx
from inference.export.programs import run_torch_export, run_torchscript, torch_export_file, torchscript_file


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        suffix: of file names.
        make: returns the content for a portable network, the channels of its input and what is to be known of it.
        run: returns what translates with such a content.
    """

    suffix: str
    make: Callable[[nn.Module, int, Mapping[str, str]], bytes]
    run: Callable[[bytes], Runner]


FORMATS = {
    "onnx": Format(".onnx", onnx_file, run_onnx),
    "torchscript": Format(".ts.pt", torchscript_file, run_torchscript),
    "torch_export": Format(".pt2", torch_export_file, run_torch_export),
}
