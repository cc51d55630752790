"""Pairs for pix2pix that need no data set host: one emoji as Google (A) and as Twitter (B) draw it, 64x64.

The images come from the npm packages ``emoji-datasource-*``. Which split an emoji falls in is decided by its first
code point, so that a skin tone or a sex of an emoji of the training set is not tested.
"""

import base64
import hashlib
import io
import re
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from tqdm import tqdm

from datasets.command import writing_to
from datasets.fetch import Checksum, check_address, fetch
from datasets.image import on_white, save

VERSION = "16.0.0"
CREDITS = """\
A: Noto Emoji by Google, Apache License 2.0, https://github.com/googlefonts/noto-emoji
B: Twemoji by Twitter and its contributors, CC BY 4.0, https://github.com/jdecked/twemoji
Both as cut into single images by emoji-data, https://github.com/iamcal/emoji-data; here on white, as RGB.
"""


class Vendor(NamedTuple):
    """Whose images become which side."""

    side: str
    name: str
    sha512: str  # of the archive in base64, as in the registry's "integrity"

    @property
    def package(self) -> str:
        """Name of the npm package."""
        return f"emoji-datasource-{self.name}"


VENDORS = (
    Vendor("A", "google", "ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A=="),
    Vendor("B", "twitter", "7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ=="),
)


def make_emoji(to: Path, *, registry: str) -> Path:
    """Fetch both packages and write ``<to>/emoji``; give that folder.

    Args:
        registry: address of an npm registry, without a slash at the end.

    Raises:
        UserError: for everything that stops it; what was there before is left alone.
    """
    check_address(registry)
    target = to / "emoji"
    with writing_to(target):
        archives = {vendor: to / f".{vendor.package}-{VERSION}.tgz" for vendor in VENDORS}
        for vendor, archive in archives.items():
            checksum = Checksum("sha512", base64.b64decode(vendor.sha512).hex())
            fetch(f"{registry}/{vendor.package}/-/{vendor.package}-{VERSION}.tgz", archive, checksum=checksum)
        with tempfile.TemporaryDirectory(prefix=".emoji-", dir=to, ignore_cleanup_errors=True) as work:
            folder = Path(work, "emoji")
            _write({vendor.side: _images(archive, vendor) for vendor, archive in archives.items()}, folder)
            folder.rename(target)
        for archive in archives.values():
            archive.unlink()
    return target


def split_of(name: str) -> str:
    """Choose train (90 %), val or test for an emoji by a hash of the first code point in its file name."""
    first = name.removesuffix(".png").split("-")[0]
    percent = int.from_bytes(hashlib.sha256(first.encode()).digest()[:4], "big") % 100
    return "train" if percent < 90 else "val" if percent < 95 else "test"


def _images(archive: Path, vendor: Vendor) -> dict[str, bytes]:
    """Read the PNG files of 64x64 pixels by name."""
    wanted = re.compile(rf"package/img/{vendor.name}/64/([0-9a-f-]+\.png)")
    found = {}
    with tarfile.open(archive, mode="r:gz") as packed:  # whole: its checksum was compared
        for member in packed:
            match = wanted.fullmatch(member.name)
            content = packed.extractfile(member) if match and member.isreg() else None
            if match and content:
                found[match[1]] = content.read()
    return found


def _write(sides: dict[str, dict[str, bytes]], folder: Path) -> None:
    """Write the emoji that every side has."""
    common = sorted(set.intersection(*(set(images) for images in sides.values())))
    for name in tqdm(common, desc="drawing emoji", disable=None, unit="pair"):
        for side, images in sides.items():
            with Image.open(io.BytesIO(images[name])) as image:
                save(on_white(image), folder / f"{split_of(name)}{side}" / name)
    (folder / "CREDITS.txt").write_text(CREDITS, encoding="utf-8")
