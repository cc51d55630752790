"""The emoji pairs, made from two small packages served by this machine."""

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import emoji_pairs
from datasets.download import main
from datasets.emoji_pairs import split_of
from tests.datasets.conftest import Refusal
from tests.serving import Mirror, serving, tarred

NAMES = [f"{0x1F400 + i:x}{tone}.png" for i in range(40) for tone in ("", "-1f3fb", "-1f3ff")]


def png(mode: str, colour: object) -> bytes:
    image = Image.new(mode, (64, 64), colour)  # type: ignore[arg-type]
    if mode == "RGBA":
        image.paste((1, 2, 3, 0), (0, 0, 64, 32))  # transparent, over a colour that nobody should see
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A registry with both packages; those of Google have an emoji more, and larger images to be left out."""
    google = {f"package/img/google/64/{name}": png("RGBA", (200, 0, 0, 255)) for name in [*NAMES, "1f9ff.png"]}
    google |= {f"package/img/google/128/{name}": png("L", 9) for name in NAMES[:3]}
    google |= {"package/package.json": b"{}", "package/img/google/64/../64/1f400.png": b"no"}
    twitter = {f"package/img/twitter/64/{name}": png("L", 40) for name in NAMES}
    with serving() as server:
        vendors = []
        for vendor, files in zip(emoji_pairs.VENDORS, (google, twitter), strict=True):
            content = tarred(files)
            server.files[f"/{vendor.package}/-/{vendor.package}-16.0.0.tgz"] = content
            digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
            vendors.append(vendor._replace(sha512=digest))
        monkeypatch.setattr(emoji_pairs, "VENDORS", tuple(vendors))
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", server.url + "/")
        yield server


def test_pairs_lie_on_white_with_equal_names(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["emoji", "--to", str(tmp_path)]) == 0
    folder = tmp_path / "emoji"
    assert [path.name for path in tmp_path.iterdir()] == ["emoji"]
    names = {side: sorted(path.name for path in folder.glob(f"*{side}/*.png")) for side in "AB"}
    assert names["A"] == names["B"] == sorted(NAMES)
    for path in folder.glob("*A/*.png"):
        a, b = Image.open(path), Image.open(folder / f"{path.parent.name[:-1]}B" / path.name)
        assert a.mode == b.mode == "RGB"
        pixels = np.asarray(a)
        assert (pixels[:32] == 255).all()
        assert (pixels[32:] == (200, 0, 0)).all()
        assert (np.asarray(b) == 40).all()
    out = capsys.readouterr().out
    assert all(f"{path.name} {len(list(path.iterdir()))}" in out for path in folder.iterdir() if path.is_dir())
    mirror.files.clear()
    assert main(["emoji", "--to", str(tmp_path)]) == 2  # it is there
    assert "exists already" in capsys.readouterr().err


def test_tones_of_one_emoji_share_a_split() -> None:
    assert all(len({split_of(name) for name in NAMES[i : i + 3]}) == 1 for i in range(0, len(NAMES), 3))


def test_splits_have_about_their_shares_and_never_change() -> None:
    splits = [split_of(f"{0x1F300 + i:x}.png") for i in range(1000)]
    assert 870 < splits.count("train") < 930
    assert 30 < splits.count("val") < 70
    recorded = {"1f306.png": "val", "1f318-1f3fb.png": "val", "1f31b.png": "test", "1f602.png": "train"}
    assert {name: split_of(name) for name in recorded} == recorded


@pytest.mark.parametrize("number", [0, 1])
def test_another_archive_than_the_published_one_is_refused(
    mirror: Mirror, tmp_path: Path, refusal: Refusal, number: int
) -> None:
    path = list(mirror.files)[number]
    mirror.files[path] = mirror.files[path] + b" "
    assert f"{path} is not the file that was expected" in refusal(main(["emoji", "--to", str(tmp_path)]))
    assert not (tmp_path / "emoji").exists()
