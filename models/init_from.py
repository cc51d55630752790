"""Start a new training from networks that are trained already (``--init_from``)."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.base import TranslationModel
from models.trained_run import describe, fill, network_flags, stored_networks
from options.errors import UserError
from util.checkpoint import AVERAGED, existing_weights, load_weights

log = logging.getLogger(__name__)

ALIASES: Mapping[str, str] = {"G": "G_A", "G_A": "G"}  # pix2pix and one direction of CycleGAN are interchangeable


def source_options(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the flags that build the networks which ``--init_from`` names.

    Args:
        run: the flags; ``init_from`` and ``checkpoints_dir`` are read.

    Raises:
        UserError: there is no such run or file, or it holds no generator.
    """
    first = _sources(run["init_from"], run["checkpoints_dir"])[0]
    return network_flags(first) if first.is_file() else stored_networks(first)


def start_from(model: TranslationModel[Any], text: str, checkpoints_dir: str) -> None:
    """Fill a fresh model with the generators, and a run's discriminators, that ``--init_from`` names.

    Of a run with averaged weights (``--ema``) the generators are those. Files are taken as they are and go to the
    generators in order: the first to G or G_A, the second to G_B.

    Raises:
        UserError: a file is missing or damaged, fits another network, or there are more files than generators.
    """
    sources = _sources(text, checkpoints_dir)
    generators = [name for name in model.networks if name.startswith("G")]
    if sources[0].is_dir():
        files = {name: path for name in model.networks if (path := _in_run(sources[0], name))}
    elif len(sources) > len(generators):
        raise UserError(f"--init_from names {len(sources)} files, but the model has the generators {generators}")
    else:
        files = dict(zip(generators, sources, strict=False))
    if not set(files) & set(generators):
        raise UserError(f"{sources[0]} holds no latest_net_G.pth or latest_net_G_A.pth; give such a file itself")
    for name, net in model.networks.items():
        if name not in files:
            log.warning("network %s starts fresh: --init_from %s has none", name, text)
            continue
        weights = load_weights(files[name])
        try:
            fill(net, weights, source=str(files[name]), flags=describe(model, name))
        except UserError as error:
            if name.startswith("G"):
                raise
            log.warning("network %s starts fresh: %s", name, error)  # it only helps to train, and may be another one
        else:
            log.info("network %s starts from %s", name, files[name])


def _sources(text: str, checkpoints_dir: str) -> list[Path]:
    """Return one run folder, or the files in order."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    paths = [_existing(word, checkpoints_dir) for word in words]
    if not paths or (len(paths) > 1 and not all(path.is_file() for path in paths)):
        raise UserError(
            f"--init_from {text!r} is neither one run nor a list of files; give a run's name, or a.pth,b.pth"
        )
    return paths


def _existing(word: str, checkpoints_dir: str) -> Path:
    candidates = [Path(word), Path(checkpoints_dir, word)]
    existing = [path for path in candidates if path.exists()]
    found = next((path for path in existing if path.is_file() or any(path.glob("latest_net_G*"))), None)
    if not existing:
        raise UserError(f"--init_from {word}: there is no such file, and no run {candidates[1]}; check the name")
    return found or existing[0]


def _in_run(folder: Path, network: str) -> Path | None:
    names = [name + suffix for name in (network, ALIASES.get(network)) if name for suffix in (AVERAGED, "")]
    return next((path for name in names if (path := existing_weights(folder, "latest", name))), None)
