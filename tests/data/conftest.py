"""What tests of data sets share."""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from data.augment.augmentation import Augmentation, Look, parse_augmentation
from data.files.folder import list_images


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder in the place of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def augmentation(both: str = "", input_only: str = "") -> Augmentation:
    return Augmentation(parse_augmentation(both, "--augment"), parse_augmentation(input_only, "--augment_input"))


def once(image: Tensor, text: str, seed: int = 0, *, label: bool = False) -> Tensor:
    """Change an input on its own."""
    return augmentation(text)([image], np.random.default_rng(seed), looks=[Look((len(image),), True, label)])[0]


def found(root: Path, limit: float = float("inf")) -> list[str]:
    """Names of the images below a folder."""
    paths = list_images(root, limit, hint="")
    return [paths.relative(index) for index in range(len(paths))]
