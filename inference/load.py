"""Find a trained run, or a file of one generator, and make translators of it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.direction import Direction
from inference.translator import Translator
from models.trained_run import ARCHITECTURE, fill, network_flags, stored_options
from networks.any_size import AnySizeGenerator
from networks.factory import build_generator
from networks.repeatable import repeatable
from options.data import DataOptions
from options.errors import UserError
from options.schema import NetOptions, RunOptions
from options.stored import OPTIONS_FILE
from util.checkpoint import AVERAGED, existing_weights, load_weights, weights_path
from util.device import choose_device
from util.safetensors_file import read_safetensors

GENERATORS = ("G", "G_A", "G_B")
RANGES = ("value_range", "value_range_A", "value_range_B")
SUFFIXES = (".pth", ".safetensors")
ABOUT = ("model", "netG", "norm", "ngf", "input_nc", "output_nc", "direction", "preprocess", "load_size", "crop_size")


def load(
    run: str | Path,
    *,
    direction: str = "",
    epoch: str = "latest",
    device: str = "auto",
    precision: str = "auto",
    ema: bool | None = None,
    running_statistics: bool = False,
    checkpoints_dir: str | Path = "./checkpoints",
) -> Translator:
    """Return what translates images with a trained generator.

    Args:
        run: a run's folder or its name in ``checkpoints_dir``, ours or the official code's; or one ``.pth`` or
            ``.safetensors`` file.
        direction: ``AtoB`` or ``BtoA``, which a CycleGAN has both; empty takes that of the training.
        epoch: which saved weights: ``latest``, ``100``, ``iter_5000`` ...
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``fp32``, ``tf32``, ``bf16``, ``fp16``, or ``int8`` on a CPU: the fastest, some levels off.
        ema: take the averaged weights of ``--ema``; None: as a test of the run would.
        running_statistics: let batch norms use those of the training (``--eval`` of ``test.py``).

    Raises:
        UserError: there is no such run, file, direction or device.
    """
    place = find_run(run, checkpoints_dir)
    found = read_directions(place, epoch=epoch, ema=ema, running_statistics=running_statistics)
    on = choose_device(RunOptions(device=device))
    return Translator(found, on, precision=precision, direction=direction, source=str(place))


def find_run(run: str | Path, checkpoints_dir: str | Path = "./checkpoints") -> Path:
    """Return a run's folder or the file of a generator.

    Raises:
        UserError: there is none.
    """
    places = (Path(run).expanduser(), Path(checkpoints_dir, run))
    for place in places:
        if place.is_dir() or (place.is_file() and place.suffix in SUFFIXES):
            return place
        if place.is_file():
            raise UserError(f"{place} is no run; give a run's folder, or a .pth or .safetensors file of a generator")
    tried = " or ".join(dict.fromkeys(map(str, places)))
    raise UserError(f"there is no run {tried}; give a run's folder, its name in ./checkpoints, or a generator's file")


def read_directions(
    place: Path, *, epoch: str = "latest", ema: bool | None = None, running_statistics: bool = False
) -> dict[str, Direction]:
    """Return the directions in which a run translates, that of the training first.

    Args:
        place: as ``find_run`` gives it; all else as in ``load``.

    Raises:
        UserError: files are missing or damaged.
    """
    if place.is_file():
        options, name = _described_by_file(place)
        files = {name: place}
    else:
        options = _options_of(place, epoch)
        files = _saved_generators(place, epoch, options, ema=ema)
    made = [_direction(name, path, options, running_statistics=running_statistics) for name, path in files.items()]
    return {one.name: one for one in made}


def generator_files(
    folder: Path, options: Mapping[str, Any], *, epoch: str = "latest", ema: bool | None = None
) -> dict[str, Path]:
    """Return the files of a run's generators by network; nothing where they have not been saved.

    Args:
        options: of the run; all else as in ``load``.
    """
    names, suffixes = _wanted(options, ema=ema)
    files = ((name, existing_weights(folder, epoch, name + suffix)) for name in names for suffix in suffixes[::-1])
    found = {name: path for name, path in files if path}
    return {"G": found["G"]} if "G" in found else found


def generator_of(path: Path) -> str:
    """Return which generator a file is, by its name; ``G`` where that does not say."""
    stem = path.stem.removesuffix(AVERAGED)
    return next((name for name in reversed(GENERATORS) if stem.endswith(f"_net_{name}")), "G")


def is_of_a_run(path: Path) -> bool:
    """Tell whether a generator's file lies in the folder of its run."""
    return "_net_" in path.stem and (path.parent / OPTIONS_FILE).exists()


def direction_of(generator: str, options: Mapping[str, Any]) -> str:
    """Name the direction of a generator: ``G_B`` leads back, and a training from B to A swaps both."""
    return "BtoA" if (options.get("direction") == "BtoA") != (generator == "G_B") else "AtoB"


def ranges_of(options: Mapping[str, Any]) -> DataOptions:
    """Return what a run's options say of the values of images."""
    return DataOptions(**{name: str(options.get(name) or "") for name in RANGES})  # type: ignore[arg-type]


def _options_of(folder: Path, epoch: str) -> Mapping[str, Any]:
    run = {"checkpoints_dir": folder.parent, "name": folder.name, "epoch": epoch, "load_iter": 0, "model_suffix": ""}
    return stored_options(run)


def _wanted(options: Mapping[str, Any], *, ema: bool | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the networks to look for, and what their files end in, the best first."""
    averaged = float(options.get("ema") or 0) > 0 if ema is None else ema
    names = {"cycle_gan": GENERATORS[1:]}.get(str(options.get("model")), GENERATORS)
    return names, (AVERAGED, "") if averaged and ema is None else (AVERAGED if averaged else "",)


def _saved_generators(folder: Path, epoch: str, options: Mapping[str, Any], *, ema: bool | None) -> dict[str, Path]:
    """Return ``generator_files``; a UserError where there are none."""
    found = generator_files(folder, options, epoch=epoch, ema=ema)
    if not found:
        names, suffixes = _wanted(options, ema=ema)
        wanted = weights_path(folder, epoch, f"{names[0]}{suffixes[0]}").name
        there = sorted({path.name.split("_net_")[0] for path in folder.glob("*_net_G*")})
        advice = f"there are the epochs {', '.join(there)}" if there else "it has saved no generator yet"
        if ema and generator_files(folder, options, epoch=epoch, ema=False):
            advice = "pass --ema 0 for raw weights (of translate.py: --ema off)"
        raise UserError(f"there is no {wanted} in {folder}; {advice}")
    return found


def _described_by_file(path: Path) -> tuple[Mapping[str, Any], str]:
    """Return the options of the generator in a file, and its name."""
    told = generator_of(path)
    if is_of_a_run(path):
        return _options_of(path.parent, path.stem.split("_net_")[0]), told
    metadata = read_safetensors(path)[1] if path.suffix == ".safetensors" else {}
    return metadata | network_flags(path), metadata.get("network", told)


def _direction(name: str, path: Path, options: Mapping[str, Any], *, running_statistics: bool) -> Direction:
    """Build one generator and say how it is fed."""
    weights = load_weights(path)
    known = {key: options[key] for key in ARCHITECTURE if key in options}
    from_run = "netD" in options  # a file's own flags are those of this generator
    flags = NetOptions(**(known if from_run else {"no_dropout": True, **network_flags(path)}))  # dropout is off here
    nc = (flags.input_nc, flags.output_nc)
    input_nc, output_nc = nc[::-1] if name == "G_B" and from_run else nc
    with torch.device("meta"):  # no time for initial weights, and no random number of the caller's drawn
        network = build_generator(flags, input_nc, output_nc)
    assert isinstance(network, AnySizeGenerator)
    network.to_empty(device="cpu")
    fill(network, weights, source=str(path), flags=f"--netG {flags.netG} --norm {flags.norm} --ngf {flags.ngf}")
    direction, ranges = direction_of(name, options), ranges_of(options)
    about = {key: options[key] for key in ABOUT if key in options} | dataclasses.asdict(flags)
    return Direction(
        direction,
        repeatable(network, running_statistics=running_statistics),
        name,
        input_nc,
        output_nc,
        flags.netG,
        flags.ngf,
        limits=ranges.range_of(direction[0]),
        target_limits=ranges.range_of(direction[-1]),
        colorizes=options.get("model") == "colorization",
        load_size=int(options.get("load_size", 0)),
        multiple=network.multiple,
        file=path,
        running_statistics=running_statistics,
        about=tuple(sorted(about.items())),
    )
