"""Many paths in little memory, and none of it a Python object per path.

A loading process that touches a Python object writes its reference count, which copies the page it lies on. A list of
a million paths therefore grows to its full size in every worker; two arrays stay shared.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from options.errors import UserError


class PathList(Sequence[str]):
    """Paths below one folder, in the order given; reads like a list of full paths.

    Attributes:
        root: the folder, as it was given.
    """

    def __init__(self, root: str, blob: npt.NDArray[np.uint8], ends: npt.NDArray[np.signedinteger[Any]]) -> None:
        """Wrap packed paths; see ``of`` and ``unpack``.

        Args:
            blob: paths below the root, as the file system spells them, with a 0 after each.
            ends: where each begins in the blob, and one more: where the next would.
        """
        self.root = root
        self._blob, self._ends = blob, ends

    @classmethod
    def of(cls, root: str | os.PathLike[str], relatives: Iterable[str]) -> "PathList":
        """Pack paths that are relative to ``root``; "/" separates folders.

        Raises:
            UserError: a path holds a 0 character, which no file system knows.
        """
        names = list(relatives)
        packed = pack(names)
        paths = cls.unpack(root, packed)
        if len(paths) != len(names):
            bad = next(name for name in names if "\0" in name)
            raise UserError(f"the path {bad!r} holds a character of code 0; write it again")
        return paths

    @classmethod
    def unpack(cls, root: str | os.PathLike[str], packed: bytes) -> "PathList":
        """Wrap what ``pack`` returned, without a copy."""
        blob = np.frombuffer(packed, np.uint8)
        offset = np.int32 if len(blob) < 2**31 else np.int64
        ends = np.concatenate([[0], np.flatnonzero(blob == 0) + 1]).astype(offset)
        return cls(os.fspath(root), blob, ends)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "PathList": ...
    def __getitem__(self, index: int | slice) -> "str | PathList":
        if not isinstance(index, slice):
            return os.path.join(self.root, self.relative(index).replace("/", os.sep))
        chosen = range(len(self))[index]
        if chosen.step == 1:
            return PathList(self.root, self._blob, self._ends[chosen.start : max(chosen.start, chosen.stop) + 1])
        return PathList.of(self.root, map(self.relative, chosen))

    def __reduce__(self) -> tuple[Any, ...]:
        used = self._blob[self._ends[0] : self._ends[-1]]
        return PathList, (self.root, used, self._ends - self._ends[0])

    def relative(self, index: int) -> str:
        """Return a path below the root; "/" separates folders on every system."""
        serial = index + len(self) if index < 0 else index
        if not 0 <= serial < len(self):
            raise IndexError(f"path {index} of {len(self)}")
        return os.fsdecode(self._blob[self._ends[serial] : self._ends[serial + 1] - 1].tobytes())


def pack(paths: Sequence[str]) -> bytes:
    """Return paths as the file system spells them, with a 0 after each."""
    return os.fsencode("".join(path + "\0" for path in paths))
