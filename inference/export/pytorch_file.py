"""Generators as programs of PyTorch's own: torch.export (.pt2) and TorchScript."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping

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


def torch_export_content(program: ExportedProgram, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a ``.pt2`` file."""
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={METADATA: _text(metadata)})
    return file.getvalue()


def run_torch_export(content: bytes) -> Runner:
    """Return the program in a ``.pt2`` file."""
    return torch.export.load(io.BytesIO(content)).module()


def torchscript(network: nn.Module, channels: int) -> torch.jit.ScriptModule:  # noqa: ARG001
    """Return a portable network as TorchScript."""
    with quiet():  # PyTorch recommends torch.export instead
        return torch.jit.script(network)  # type: ignore[no-any-return]


def torchscript_content(program: torch.jit.ScriptModule, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a TorchScript file."""
    file = io.BytesIO()
    with quiet():
        torch.jit.save(program, file, _extra_files={METADATA: _text(metadata)})
    return file.getvalue()


def run_torchscript(content: bytes) -> Runner:
    """Return the program in a TorchScript file."""
    with quiet():
        program = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(image: Tensor) -> Tensor:
        return program(image)  # type: ignore[no-any-return]

    return run


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep advice that is for developers of exporters to ourselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _text(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata), indent=2)
