"""Which training images are kept aside for validation (``--val_share``): the same ones in every run."""

import hashlib
import os
from collections.abc import Sequence

from data.files.layout import Files
from options.errors import UserError


def rows_of(names: Sequence[str], share: float, *, held_out: bool) -> list[int]:
    """Return the places of the images that are held out, or of all others, in their order.

    Those whose names have the lowest checksums are held out. So an image that is added to a folder hardly moves another
    from one part to the other.

    Args:
        names: of the images.
        share: of all that is held out, above 0 and below 1; at least one image, and never all.

    Raises:
        UserError: there is a single image.
    """
    if len(names) < 2:
        raise UserError(f"--val_share {share} cannot hold any of {len(names)} image out; leave it out")
    sums = {index: hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for index, name in enumerate(names)}
    count = min(max(1, round(share * len(names))), len(names) - 1)
    chosen = set(sorted(sums, key=lambda index: (sums[index], index))[:count])
    return [index for index in range(len(names)) if (index in chosen) == held_out]


def names_of(files: Files) -> list[str]:
    """Return the images' paths below their folder, without the ending."""
    column = files.columns[0]
    return [os.path.splitext(column.relative(index))[0] for index in range(len(column))]
