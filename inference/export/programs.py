"""Generators as programs of PyTorch's own: torch.export (.pt2) and TorchScript."""

import io
import json
import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config

from inference.export.check import Runner
from options.errors import UserError

METADATA = "metadata.json"  # the extra file in both
EXAMPLE = (2, 44, 52)  # images, height, width; none of them stays


def exported_program(network: nn.Module, channels: int) -> ExportedProgram:
    """Return the graph of a portable network for any number of images of any size.

    Raises:
        UserError: PyTorch is too old.
    """
    if not hasattr(_config, "backed_size_oblivious"):
        raise UserError(f"PyTorch {torch.__version__} is too old for this format; type: pip install --upgrade torch")
    count, height, width = EXAMPLE
    free = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    with _config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]  # else maps of one point, inside a U-Net, are excluded
        program = torch.export.export(network, (torch.zeros(count, channels, height, width),), dynamic_shapes=(free,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def torch_export_file(network: nn.Module, channels: int, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a ``.pt2`` file."""
    file = io.BytesIO()
    torch.export.save(exported_program(network, channels), file, extra_files={METADATA: _text(metadata)})
    return file.getvalue()


def run_torch_export(content: bytes) -> Runner:
    """Return the program in a ``.pt2`` file."""
    return torch.export.load(io.BytesIO(content)).module()


def torchscript_file(network: nn.Module, channels: int, metadata: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """Return the content of a TorchScript file."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch recommends torch.export instead
        torch.jit.save(torch.jit.script(network), file, _extra_files={METADATA: _text(metadata)})
    return file.getvalue()


def run_torchscript(content: bytes) -> Runner:
    """Return the program in a TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(image: Tensor) -> Tensor:
        return program(image)  # type: ignore[no-any-return]

    return run


def _text(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata), indent=2)
