"""Where weights are looked for, and what is said when they are not there."""

import hashlib
from pathlib import Path

import pytest
import torch

from metrics.weights import INCEPTION, Published, published_weights, sha256_of
from options.errors import UserError


@pytest.fixture
def server(tmp_path: Path) -> Published:
    """A file of weights to fetch, at an address of this machine."""
    source = tmp_path / "server" / "net.pth"
    source.parent.mkdir()
    torch.save({"weight": torch.ones(2)}, source)
    return Published("the network N", ("net.pth", "other.pth"), source.as_uri(), sha256_of(source)[:8])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of torch.hub, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


def test_weights_are_fetched_once(server: Published, folder: Path, tmp_path: Path) -> None:
    weights = published_weights(server, "")
    assert weights.path == folder / "net.pth"
    assert weights.tensors["weight"].tolist() == [1, 1]
    assert weights.sha256 == hashlib.sha256(weights.path.read_bytes()).hexdigest()
    (tmp_path / "server" / "net.pth").unlink()
    assert published_weights(server, "").sha256 == weights.sha256


@pytest.mark.parametrize("name", ["net.pth", "other.pth"])
def test_the_folder_of_the_flag_comes_first(server: Published, folder: Path, tmp_path: Path, name: str) -> None:
    published_weights(server, "")
    mine = tmp_path / "mine"
    mine.mkdir()
    assert published_weights(server, str(mine)).path.parent == folder  # not fetched again
    torch.save({"weight": torch.zeros(2)}, mine / name)
    assert published_weights(server, str(mine)).tensors["weight"].tolist() == [0, 0]


def test_a_download_fills_the_folder_of_the_flag(server: Published, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert published_weights(server, str(tmp_path / "mine")).path == tmp_path / "mine" / "net.pth"


def test_a_file_with_another_checksum_is_not_taken(server: Published, folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"cannot fetch the network N \(.*hash.*fetch file:.* elsewhere and put it into"
    ):
        published_weights(server._replace(sha256="00000000"), "")
    assert list(folder.iterdir()) == []


def test_a_download_that_fails_says_what_to_do(folder: Path) -> None:
    nobody = INCEPTION._replace(url="http://127.0.0.1:9/net.pth")
    with pytest.raises(UserError) as caught:
        published_weights(nobody, "")
    sentence = str(caught.value)
    assert sentence.startswith("cannot fetch the Inception network of FID (")
    assert f"fetch http://127.0.0.1:9/net.pth elsewhere and put it into {folder}" in sentence
    assert "--metric_weights" in sentence
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(server: Published, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--metric_weights .*none is no folder; make it"):
        published_weights(server, str(tmp_path / "none"))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_refused(server: Published, folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "net.pth").write_bytes(content)
    with pytest.raises(
        UserError, match=r"net.pth does not hold the network N, or is damaged; remove it to fetch it again"
    ):
        published_weights(server, "")


def test_the_names_of_pytorch_fid_and_torch_fidelity_are_known() -> None:
    for package, constant in (
        ("pytorch_fid.inception", "FID_WEIGHTS_URL"),
        ("torch_fidelity.feature_extractor_inceptionv3", "URL_INCEPTION_V3"),
    ):
        url = getattr(pytest.importorskip(package), constant)
        assert url.rsplit("/", 1)[1] in INCEPTION.names
    assert INCEPTION.url.endswith(INCEPTION.names[0])
    assert INCEPTION.sha256 in INCEPTION.names[0]
