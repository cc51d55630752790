"""Generators in ONNX, and ONNX Runtime, which translates with them."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from inference.export.check import Runner
from inference.export.metadata import PRODUCER
from inference.export.pytorch_file import exported_program, quiet

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # ONNX Runtime, also in browsers, knows it since 1.14
INPUT, OUTPUT = "image", "translation"
FREE = {0: "batch", 2: "height", 3: "width"}
ERRORS_ONLY = 3


def onnx_content(graph: "ModelProto", metadata: Mapping[str, str]) -> bytes:
    """Return the content of an ONNX file, in the ``precision`` that the metadata name."""
    import onnx

    convert = {"fp32": lambda model: model, "fp16": _in_half_precision, "int8": _quantized}[metadata["precision"]]
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    with quiet():
        model = convert(model)
    model.producer_name, model.producer_version = PRODUCER, metadata["made_with"]
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    return model.SerializeToString()  # type: ignore[no-any-return]


def onnx_model(network: nn.Module, channels: int) -> "ModelProto":
    """Return the graph of a portable network; batch, height and width are free."""
    with quiet():
        made = torch.onnx.export(
            exported_program(network, channels),
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert made is not None
    model = made.model_proto
    for value in (model.graph.input[0], model.graph.output[0]):
        for dim, name in FREE.items():
            value.type.tensor_type.shape.dim[dim].dim_param = name
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]  # where in the source it came from, with paths of this machine
    return model  # type: ignore[no-any-return]


def _in_half_precision(model: "ModelProto") -> "ModelProto":
    """Return the model with 16-bit floats inside; what goes in and comes out stays float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    half = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
    half.topological_sort()  # the conversion of the input was put at the end
    return half.model  # type: ignore[no-any-return]


def _quantized(model: "ModelProto") -> "ModelProto":
    """Return the model with 8-bit weights of convolutions, and inputs that are rounded while it runs.

    The first and the last layer have few weights and are next to the images; left as they are, they make differences
    five times smaller. Weights are unsigned, as ONNX Runtime is several times slower with signed ones.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    layers = [node.name for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "quantized.onnx")
        quantize_dynamic(model, path, weight_type=QuantType.QUInt8, nodes_to_exclude=[layers[0], layers[-1]])
        return onnx.load(path)


def run_onnx(content: bytes) -> Runner:
    """Return ONNX Runtime, on the CPU, with a model."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(image: Tensor) -> Tensor:
        made: Any = session.run([OUTPUT], {INPUT: image.numpy()})
        return torch.from_numpy(made[0])

    return run
