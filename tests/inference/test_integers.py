"""Translating in 8-bit integers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import load
from options.errors import UserError
from tests.runs import make_run


def test_integers_are_near_and_refused_where_they_gain_nothing(tmp_path: Path) -> None:
    run, narrow = make_run(tmp_path / "wide", flags="--ngf 32"), make_run(tmp_path / "cg")
    smooth = np.asarray(Image.linear_gradient("L").resize((64, 48)).convert("RGB"))
    exact, integers = load(run, precision="fp32"), load(run, precision="int8", device="cpu")
    assert "int8" in integers.describe()
    made, wanted = integers(smooth).astype(int), exact(smooth).astype(int)
    assert 0 < np.abs(made - wanted).mean() < 8
    with pytest.raises(UserError, match="--precision int8 gains nothing here: .* has no wide convolutions; pass auto"):
        load(narrow, precision="int8", device="cpu")
