"""Which runs and files ``load`` takes, and what it says of others."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from inference import load
from options.errors import UserError
from tests.conftest import RunCli
from tests.runs import make_run

IMAGE = np.random.default_rng(0).integers(0, 256, (33, 40, 3), np.uint8)


def bare(run: Path, folder: Path, *names: str) -> Path:
    """Copy files of a run to a folder without its options."""
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes((run / name).read_bytes())
    return folder


def exported(run_cli: RunCli, run: Path, folder: Path) -> Path:
    """Write a run's only generator as safetensors."""
    assert run_cli("export", [run, "--output", folder]).code == 0
    return folder / "latest_net_G.safetensors"


def test_a_run_is_found_by_folder_and_by_name(cycle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = load(cycle)(IMAGE)
    assert np.array_equal(load("cg", checkpoints_dir=cycle.parent)(IMAGE), wanted)
    monkeypatch.chdir(tmp_path)
    Path("checkpoints").symlink_to(cycle.parent)
    assert np.array_equal(load("cg")(IMAGE), wanted)


def test_a_file_of_a_run_is_its_one_direction(cycle: Path) -> None:
    both = load(cycle)
    forth, back = (load(cycle / f"latest_net_G_{side}.pth") for side in "AB")
    assert (list(forth.directions), list(back.directions)) == (["AtoB"], ["BtoA"])
    assert np.array_equal(forth(IMAGE), both(IMAGE))
    assert np.array_equal(back(IMAGE), both(IMAGE, "BtoA"))


def test_bare_official_files_are_recognised(cycle: Path, tmp_path: Path) -> None:
    both = load(cycle)
    folder = bare(cycle, tmp_path / "official", "latest_net_G_A.pth", "latest_net_G_B.pth")
    assert np.array_equal(load(folder)(IMAGE), both(IMAGE))
    assert np.array_equal(load(folder)(IMAGE, "BtoA"), both(IMAGE, "BtoA"))
    published = tmp_path / "horse2zebra.pth"
    published.write_bytes((cycle / "latest_net_G_A.pth").read_bytes())
    assert np.array_equal(load(published)(IMAGE), both(IMAGE))


def test_domains_of_different_channels_have_generators_of_their_own(tmp_path: Path) -> None:
    run = make_run(tmp_path / "cg", flags="--input_nc 3 --output_nc 1 --lambda_identity 0")
    folder = bare(run, tmp_path / "official", "latest_net_G_A.pth", "latest_net_G_B.pth")
    for translator in (load(run), load(folder)):
        gray = translator(IMAGE)
        assert gray.shape == (33, 40, 1) or gray.shape == (33, 40)
        assert translator(gray, "BtoA").shape == (33, 40, 3)


def test_a_safetensors_file_says_all_that_is_to_be_known(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "p2p", "pix2pix", "--netG unet_32 --direction BtoA --value_range_B 10,250")
    path = exported(run_cli, run, tmp_path / "out")
    alone = load(path)
    assert list(alone.directions) == ["BtoA"]
    levels = IMAGE.clip(10, 250)
    assert np.array_equal(alone(levels), load(run)(levels))
    with pytest.raises(UserError, match="outside 10 to 250"):
        alone(IMAGE)


def test_a_colorization_file_colours(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "col", "colorization", "--netG unet_32")
    path = exported(run_cli, run, tmp_path / "out")
    assert np.array_equal(load(path)(IMAGE), load(run)(IMAGE))


def test_averaged_weights_are_taken_as_in_a_test(tmp_path: Path) -> None:
    run = make_run(tmp_path / "ema", flags="--ema 0.9")
    raw = torch.load(run / "latest_net_G_A.pth", weights_only=True)
    torch.save({key: value * 1.5 for key, value in raw.items()}, run / "latest_net_G_A_ema.pth")
    averaged, plain = load(run, ema=True)(IMAGE), load(run, ema=False)(IMAGE)
    assert not np.array_equal(averaged, plain)
    assert np.array_equal(load(run)(IMAGE), averaged)
    assert np.array_equal(load(run / "latest_net_G_A_ema.pth")(IMAGE), averaged)


def test_other_epochs_are_named_where_one_is_missing(cycle: Path, tmp_path: Path) -> None:
    folder = bare(cycle, tmp_path / "r", "latest_net_G_A.pth", "latest_net_G_B.pth", "train_opt.json")
    (folder / "5_net_G_A.pth").write_bytes((cycle / "latest_net_G_B.pth").read_bytes())
    (folder / "5_net_G_B.pth").write_bytes((cycle / "latest_net_G_A.pth").read_bytes())
    assert np.array_equal(load(folder, epoch="5")(IMAGE), load(cycle / "latest_net_G_B.pth")(IMAGE))
    with pytest.raises(UserError, match=r"there is no 7_net_G_A.pth in .*; there are the epochs 5, latest"):
        load(folder, epoch="7")


def test_mistakes_are_told(cycle: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no run nowhere or .*nowhere; give a run's folder"):
        load("nowhere", checkpoints_dir=tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match=r"a.txt is no run; give a run's folder, or a .pth"):
        load(tmp_path / "a.txt")
    (tmp_path / "young").mkdir()
    (tmp_path / "young" / "train_opt.json").write_text(json.dumps({"model": "pix2pix"}))
    with pytest.raises(UserError, match="it has saved no generator yet"):
        load(tmp_path / "young")
    with pytest.raises(UserError, match="translates AtoB and BtoA, not 'AtoC'"):
        load(cycle, direction="AtoC")
    with pytest.raises(UserError, match="no such device"):
        load(cycle, device="tpu")
    (tmp_path / "cut.pth").write_bytes((cycle / "latest_net_G_A.pth").read_bytes()[:3000])
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path / "cut.pth")
    with pytest.raises(UserError, match="not the file of a known generator|does not fit"):
        load(cycle / "latest_net_D_A.pth")
