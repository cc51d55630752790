"""The layers of the house: a module imports its own layer or a lower one, never a higher one."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGES = ("options", "util", "networks", "data", "metrics", "models", "inference", "ablation")
MODULES = sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py"))
ENTRY_POINTS = sorted(PROJECT.glob("*.py"))
COMMANDS = sorted((PROJECT / "datasets").rglob("*.py"))
MOST_LINES = 250

LAYERS = (  # lowest first
    ("options",),
    ("util",),
    ("networks", "data"),
    ("metrics",),
    ("models",),
    ("options.cli", "inference"),
    ("ablation",),
    ("entry points",),
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}


def layer(module: str) -> str:
    """Name the layer of a module: ``options.cli`` is far above the rest of ``options``."""
    if module == "options.cli" or module.startswith("options.cli."):
        return "options.cli"
    package = module.split(".")[0]
    return package if package in PACKAGES else "entry points"


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Yield the project's modules that a file imports, anywhere in it."""
    own = (*PACKAGES, "datasets", *(entry.stem for entry in ENTRY_POINTS))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the full name"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.split(".")[0] in own)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_imports_only_its_own_layer_or_a_lower_one(path: Path) -> None:
    own = layer(dotted(path))
    upward = [
        name
        for name in imports(path)
        if HEIGHT[layer(name)] > HEIGHT[own] or (HEIGHT[layer(name)] == HEIGHT[own] and layer(name) != own)
    ]
    assert upward == []


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=dotted)
def test_an_entry_point_imports_no_other(path: Path) -> None:
    others = {entry.stem for entry in ENTRY_POINTS}
    assert [name for name in imports(path) if name.split(".")[0] in others] == []


@pytest.mark.parametrize("path", COMMANDS, ids=dotted)
def test_the_data_set_commands_need_none_of_the_networks(path: Path) -> None:
    assert [name for name in imports(path) if layer(name) in ("networks", "models", "inference", "options.cli")] == []


@pytest.mark.parametrize("path", [*MODULES, *ENTRY_POINTS, *COMMANDS], ids=dotted)
def test_a_file_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_starting_a_command_imports_no_tool_that_it_may_not_need() -> None:
    programs = ["train", "test", "translate", "app", "export", "evaluate", "ablate"]
    heavy = [
        "torchvision",
        "torchmetrics",
        "visdom",
        "wandb",
        "tornado",
        "tifffile",
        "webdataset",
        "skimage",
        "cv2",
        "torch.utils.tensorboard",
        "gradio",
        "onnx",
        "onnxruntime",
        "av",
        "pyvips",
    ]
    code = f"""
import runpy, sys
for program in {programs}:
    runpy.run_path(f"{PROJECT}/{{program}}.py", run_name="imported")
    print([(program, name) for name in {heavy} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.split("\n") == ["[]"] * len(programs) + [""]
