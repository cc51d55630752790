"""Tiny shards: tar files of images, packed here without the code under test."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from data.loader import Loader
from tests import loading
from tests.images import an_image, side_by_side
from tests.serving import tarred

SIZE = (12, 10)  # width, height


def png(seed: int) -> bytes:
    return encoded(an_image(seed, SIZE))


def whole_png(seed: int) -> bytes:
    """A left, B right."""
    return encoded(side_by_side(an_image(seed, SIZE), an_image(1000 + seed, SIZE)))


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tarred(members, compressed=False))
    return path


def write_shards(folder: Path, sizes: Sequence[int], *, pairs: bool = True, first: int = 0) -> Path:
    """Write shards ``0000.tar`` ... of samples s0, s1 ... and their ``sizes.json``."""
    number, table = first, {}
    for index, size in enumerate(sizes):
        members: dict[str, bytes] = {}
        for serial in range(number, number + size):
            if pairs:
                members |= {f"s{serial}.a.png": png(serial), f"s{serial}.b.png": png(1000 + serial)}
            else:
                members[f"s{serial}.png"] = png(serial)
        number += size
        table[f"{index:04d}.tar"] = size
        write_tar(folder / f"{index:04d}.tar", members)
    (folder / "sizes.json").write_text(json.dumps(table))
    return folder


def loader(root: object, words: str = "", *, rank: int = 0, size: int = 1) -> Loader:
    return loading.loader(root, f"--dataset_mode webdataset --load_size 10 --crop_size 8 {words}", rank=rank, size=size)
