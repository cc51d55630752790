"""Translate a opened with an exported generator; needs onnxruntime, numpy and pillow, and nothing of this project.

python export.py horse2zebra --to onnx -o generators
python examples/onnx_image.py generators/latest_net_G_A.onnx horse.jpg zebra.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

MODES = {"RGB": "RGB", "gray": "L"}


def main(model: str, source: str, target: str) -> None:
    """Translate ``source`` to ``target`` with an ONNX file, whose metadata say what goes in and what comes out."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    takes, makes = told["input_channels"], told["output_channels"]
    if takes not in MODES or makes not in MODES:
        sys.exit(f"{model} takes {takes} and makes {makes}; this example is for colours and gray")

    opened = ImageOps.exif_transpose(Image.open(source)).convert(MODES[takes])
    levels = np.asarray(opened, np.float32).reshape(opened.height, opened.width, -1)
    low, high = map(float, told["input_values"].split(","))
    image = (2 * (levels - low) / (high - low) - 1).transpose(2, 0, 1)[None]  # 1 x C x H x W in [-1, 1]

    (made,) = session.run([told["output_name"]], {told["input_name"]: image})

    low, high = map(float, told["output_values"].split(","))
    levels = low + (made[0].transpose(1, 2, 0) + 1) / 2 * (high - low)
    shown = levels.clip(0, 255).round().astype(np.uint8)
    Image.fromarray(shown[:, :, 0] if shown.shape[2] == 1 else shown).save(target)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python onnx_image.py MODEL.onnx IMAGE RESULT")
    main(*sys.argv[1:])
