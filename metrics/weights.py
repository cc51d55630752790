"""Find the weights of the networks that metrics look through, or fetch them."""

import hashlib
import http.client
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from options.errors import UserError
from util.checkpoint import load_weights

FLAG = "--metric_weights"


class Published(NamedTuple):
    """A file of weights that others have published.

    Attributes:
        what: the network, as a sentence calls it.
        names: under which it is known; the first is the one it is fetched under.
        sha256: how the SHA-256 of the file at ``url`` begins.
    """

    what: str
    names: tuple[str, ...]
    url: str
    sha256: str


class Weights(NamedTuple):
    """The weights and the file they came from."""

    tensors: dict[str, Tensor]
    path: Path
    sha256: str

    def about(self) -> dict[str, object]:
        """Return what tells this file from another."""
        return {"file": self.path.name, "sha256": self.sha256}


INCEPTION = Published(
    "the Inception network of FID",
    (
        "pt_inception-2015-12-05-6726825d.pth",
        "weights-inception-2015-12-05-6726825d.pth",
        "inception_v3_fid_2015-12-05_nofc_torchvision_names.pth",
    ),
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    "6726825d",
)
ALEXNET = Published(
    "the AlexNet of LPIPS",
    ("alexnet-owt-7be5be79.pth", "alexnet_imagenet_features_torchvision_names.pth"),
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be79",
)


def published_weights(published: Published, folder: str) -> Weights:
    """Read weights from ``folder`` or the cache of torch.hub; fetch them if they are in neither.

    Raises:
        UserError: they cannot be fetched, or the file is damaged; says where to put them.
    """
    if folder and not Path(folder).is_dir():
        raise UserError(f"{FLAG} {folder} is no folder; make it, or leave the flag out to use the cache of torch.hub")
    folders = [Path(folder)] if folder else []
    folders.append(Path(torch.hub.get_dir()) / "checkpoints")
    candidates = (place / name for place in folders for name in published.names)
    path = next((path for path in candidates if path.is_file()), None) or _fetch(published, folders[0])
    try:
        tensors = load_weights(path)
    except UserError as error:
        raise UserError(f"{path} does not hold {published.what}, or is damaged; remove it to fetch it again") from error
    return Weights(tensors, path, sha256_of(path))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch(published: Published, folder: Path) -> Path:
    """Download a file so that it appears whole or not at all."""
    path = folder / published.names[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(published.url, str(path), hash_prefix=published.sha256)
    except (OSError, http.client.HTTPException, RuntimeError) as error:  # RuntimeError: another checksum
        raise UserError(
            f"cannot fetch {published.what} ({error}); fetch {published.url} elsewhere and put it into {folder}, "
            f"or name its folder with {FLAG}"
        ) from error
    return path
