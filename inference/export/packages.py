"""Packages that only some formats need."""

import importlib.util

from options.errors import UserError

NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "web": ("onnx", "onnxscript", "onnxruntime", "requests")}


def check_packages(kind: str) -> None:
    """Refuse a format whose packages are not there.

    Raises:
        UserError: some are missing; says what to type.
    """
    missing = [name for name in NEEDED.get(kind, ()) if importlib.util.find_spec(name) is None]
    if missing:
        few = f"the package{'s' * (len(missing) > 1)} {' and '.join(missing)}"
        raise UserError(f"--to {kind} needs {few}; type: pip install {' '.join(missing)}")
