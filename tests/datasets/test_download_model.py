"""Fetching published generators, and whether the printed command uses them."""

import io
import pickle
import shlex
from pathlib import Path

import pytest
import torch

from datasets import download
from datasets.download_model import MODELS, commands, main
from networks.factory import build_generator
from options.schema import NetOptions
from tests.conftest import RunCli
from tests.datasets.conftest import Refusal
from tests.images import write_aligned, write_unaligned
from tests.serving import Mirror

CYCLEGAN, PIX2PIX = "/cyclegan/pretrained_models/{}.pth", "/pix2pix/models-pytorch/{}.pth"


def generator(**flags: object) -> bytes:
    """Give a generator as the published files hold it: a bare state_dict in the format before PyTorch 1.6."""
    torch.manual_seed(0)
    net = build_generator(NetOptions(ngf=2, **flags), 3, 3)  # type: ignore[arg-type]
    buffer = io.BytesIO()
    torch.save(net.state_dict(), buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def get(mirror: Mirror, folder: Path, name: str, *more: str) -> int:
    return main([name, "--checkpoints_dir", str(folder), "--base_url", mirror.url, *more])


def test_every_official_model_is_known() -> None:
    assert len(MODELS["cyclegan"]) == 18
    assert sorted(MODELS["pix2pix"]) == ["day2night", "edges2shoes", "facades_label2photo", "map2sat", "sat2map"]
    known = {name: {*names, "cityscapes"} for name, names in download.SETS.items()}
    for family, models in MODELS.items():
        assert {use.data.split("/")[0] for use in models.values()} <= known[family]


def test_the_printed_command_translates_with_a_cyclegan_model(
    mirror: Mirror, tmp_path: Path, run_cli: RunCli, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files[CYCLEGAN.format("zebra2horse")] = generator(netG="resnet_9blocks", norm="instance", no_dropout=True)
    write_unaligned(tmp_path / "datasets" / "horse2zebra")
    assert get(mirror, Path("checkpoints"), "zebra2horse") == 0
    assert (tmp_path / "checkpoints" / "zebra2horse_pretrained" / "latest_net_G.pth").is_file()
    fetch_data, translate = capsys.readouterr().out.splitlines()[1:]
    assert fetch_data.strip() == "python -m datasets.download horse2zebra --family cyclegan"
    words = shlex.split(translate)
    assert words[:2] == ["python", "test.py"]
    done = run_cli("test", words[2:])
    assert done.code == 0, done.stderr
    made = sorted((tmp_path / "results" / "zebra2horse_pretrained").rglob("*fake*.png"))
    assert [path.name[:2] for path in made] == ["b0", "b1"]  # the zebras, which are B


def test_the_printed_command_translates_with_a_pix2pix_model(
    mirror: Mirror, tmp_path: Path, run_cli: RunCli, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files[PIX2PIX.format("map2sat")] = generator(netG="unet_256", norm="batch", no_dropout=False)
    write_aligned(tmp_path / "datasets" / "maps")
    assert get(mirror, Path("elsewhere"), "map2sat", "--family", "pix2pix") == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    done = run_cli("test", words[2:])
    assert done.code == 0, done.stderr
    assert len(list((tmp_path / "results" / "map2sat_pretrained").rglob("*fake_B.png"))) == 2


def test_names_in_both_families_are_asked_for(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    assert "pass --family cyclegan or --family pix2pix" in refusal(get(mirror, tmp_path, "sat2map"))


class Evil:
    """Runs code where a pickle is trusted."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("evil"),))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "content",
    [b"<html>sorry</html>", generator(netG="resnet_1blocks")[:-100], pickle.dumps(Evil()), b""],
    ids=["page", "cut", "code", "empty"],
)
def test_what_is_no_network_is_removed(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    mirror.files[CYCLEGAN.format("horse2zebra")] = content
    assert "is not a network or is damaged" in refusal(get(mirror, tmp_path, "horse2zebra"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_wrong_checksum_is_refused(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    mirror.files[CYCLEGAN.format("horse2zebra")] = generator(netG="resnet_1blocks")
    assert "is not the file that was expected" in refusal(get(mirror, tmp_path, "horse2zebra", "--sha256", "a" * 64))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_existing_model_is_left_alone(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    file = tmp_path / "horse2zebra_pretrained" / "latest_net_G.pth"
    file.parent.mkdir()
    file.write_bytes(b"mine")
    assert "exists already" in refusal(get(mirror, tmp_path, "horse2zebra"))
    assert file.read_bytes() == b"mine"
    assert mirror.ranges == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["horse2cow"], "choose one of apple2orange"),
        (["horse2zebra", "--family", "pix2pix"], "not in the pix2pix family"),
        (["horse2zebra", "--base_url", "ftp://x"], "must start with http"),
        (["horse2zebra", "--sha256", "zz"], "64 hexadecimal digits"),
    ],
)
def test_wrong_requests_are_refused(tmp_path: Path, refusal: Refusal, flags: list[str], words: str) -> None:
    assert words in refusal(main([*flags, "--checkpoints_dir", str(tmp_path)]))
    assert not any(tmp_path.iterdir())


def test_cityscapes_models_point_to_the_command_that_makes_the_data() -> None:
    first, second = commands("cityscapes_label2photo", Path("checkpoints"), family="cyclegan")
    assert "datasets.prepare_cityscapes_dataset" in first
    assert "--dataroot datasets/cityscapes/testB" in second
