"""A new training starts from networks that are trained already: from a run, or from files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from networks.resnet import ResnetGenerator
from networks.unet import UnetGenerator
from tests.conftest import Finished, RunCli
from tests.images import write_aligned, write_unaligned
from tests.refusals import refused
from tests.same_runs import LAYOUT, assert_same_run, differences, losses_of, state_of
from util.checkpoint import load_weights
from util.safetensors_file import write_safetensors

SMALL = "--ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 --crop_size 32 --num_threads 0 --display_id 0 --no_html"
BRIEF = "--n_epochs 1 --n_epochs_decay 0 --print_freq 1"
STILL = "--lr 1e-30"  # too small to move a weight
Train = Callable[..., Finished]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is drawn and trained once."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def train(run_cli: RunCli, kept: Path) -> Train:
    """Train for an epoch of three images; in the folder are runs ``cycle`` and ``pix`` and the data of either."""
    checkpoints, net = kept / "checkpoints", f"--netG resnet_1blocks --ngf 4 --checkpoints_dir {kept}/checkpoints"
    data = {"unaligned_root": kept / "unaligned", "aligned_root": kept / "aligned"}

    def run(model: str, name: str, flags: str = "") -> Finished:
        root = data[LAYOUT.get(model, "aligned_root")]
        words = f"--model {model} --dataroot {root} --name {name} {SMALL} {BRIEF} {flags}"
        return run_cli("train", words.split())

    if not checkpoints.exists():
        write_unaligned(data["unaligned_root"])
        write_aligned(data["aligned_root"])
        assert run("cycle_gan", "cycle", f"{net} --pool_size 2").code == 0
        assert run("pix2pix", "pix", f"{net} --norm instance --no_dropout").code == 0
    shutil.copytree(checkpoints, "checkpoints")
    return run


def weights_of(name: str, network: str) -> dict[str, Tensor]:
    return load_weights(Path("checkpoints", name, f"latest_net_{network}.pth"))


def options_of(name: str) -> Any:
    return json.loads(Path("checkpoints", name, "train_opt.json").read_text())


def save_generator(path: str, *, unet: bool = False, seed: int = 0) -> dict[str, Tensor]:
    """Write a generator of 8 filters as the official code does, or as safetensors."""
    torch.manual_seed(seed)
    if unet:
        net: torch.nn.Module = UnetGenerator(
            3, 3, num_downs=5, ngf=8, norm="batch", dropout=True, upsampling="transposed"
        )
    else:
        net = ResnetGenerator(3, 3, ngf=8, blocks=2, norm="instance", dropout=False, upsampling="transposed")
    weights = {key: value.clone() for key, value in net.state_dict().items()}
    write_safetensors(weights, Path(path), {}) if path.endswith(".safetensors") else torch.save(weights, path)
    return weights


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Tell whether two networks are one; the running statistics of batch norm move without learning."""
    moving = ("running_mean", "running_var", "num_batches_tracked")
    ours, theirs = ({k: v for k, v in net.items() if not k.endswith(moving)} for net in (one, other))
    return ours.keys() == theirs.keys() and all(torch.allclose(ours[key], theirs[key], atol=1e-12) for key in ours)


@pytest.mark.parametrize(
    ("where", "bare"),
    [("cycle", False), ("checkpoints/cycle", False), ("{cwd}/checkpoints/cycle/", False), ("cycle", True)],
)
def test_all_networks_of_a_run_are_taken_by_its_name_or_folder(train: Train, where: str, bare: bool) -> None:
    if bare:  # its state and options are not needed
        for path in [*Path("checkpoints/cycle").glob("*_state.pth"), Path("checkpoints/cycle/train_opt.json")]:
            path.unlink()
    done = train("cycle_gan", "new", f"--init_from {where.format(cwd=Path.cwd())} {STILL}")
    assert done.code == 0, done.stderr
    for network in ("G_A", "G_B", "D_A", "D_B"):
        assert same(weights_of("new", network), weights_of("cycle", network)), network
        assert f"network {network} starts from" in done.stdout
    assert "starts fresh" not in done.stdout


def test_optimizers_pools_and_counters_start_fresh_and_the_source_is_left_alone(train: Train) -> None:
    before = {path.name: path.read_bytes() for path in Path("checkpoints/cycle").glob("*.*")}
    assert train("cycle_gan", "new", "--init_from cycle --pool_size 2").code == 0
    assert [event[:3] for event in losses_of("new")] == [(1, 1, 1), (1, 2, 2), (1, 3, 3)]
    new, old = state_of("new"), state_of("cycle")
    assert new["progress"] == {"epoch": 2, "images_seen": 3, "seen_in_epoch": 0, "metrics": []}
    for phase in new["optimizers"].values():
        assert {float(moment["step"]) for moment in phase["state"].values()} == {3.0}
    assert all(len(pool["images"]) == 2 for pool in new["model"].values())
    assert differences(new["model"], old["model"]), "the pools are those of the source"
    assert not same(weights_of("new", "G_A"), weights_of("cycle", "G_A")), "nothing was learned"
    assert {path.name: path.read_bytes() for path in Path("checkpoints/cycle").glob("*.*")} == before


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_one_file_fills_the_first_generator_and_the_others_start_fresh(train: Train, suffix: str) -> None:
    weights = save_generator(f"a.{suffix}")
    done = train("cycle_gan", "new", f"--init_from a.{suffix} {STILL}")
    assert done.code == 0, done.stderr
    assert same(weights_of("new", "G_A"), weights)
    assert not same(weights_of("new", "G_B"), weights)
    for network in ("G_B", "D_A", "D_B"):
        assert f"network {network} starts fresh: --init_from a.{suffix} has none" in done.stdout


@pytest.mark.parametrize("comma", [",", " , "])
def test_two_files_fill_the_two_generators_in_order(train: Train, run_cli: RunCli, kept: Path, comma: str) -> None:
    weights = [save_generator("a.pth", seed=1), save_generator("b.safetensors", seed=2)]
    words = f"--model cycle_gan --dataroot {kept / 'unaligned'} --name new {SMALL} {BRIEF} {STILL}".split()
    done = run_cli("train", [*words, "--init_from", f"a.pth{comma}b.safetensors"])
    assert done.code == 0, done.stderr
    assert [same(weights_of("new", name), net) for name, net in zip(("G_A", "G_B"), weights, strict=True)] == [True] * 2


def test_the_flags_of_the_network_follow_from_the_file(train: Train) -> None:
    weights = save_generator("x.pth", unet=True)
    done = train("pix2pix", "new", f"--init_from x.pth {STILL}")
    assert done.code == 0, done.stderr
    assert same(weights_of("new", "G"), weights)
    stored = options_of("new")
    assert [stored[name] for name in ("netG", "ngf", "norm", "no_dropout")] == ["unet_32", 8, "batch", False]
    save_generator("y.pth")
    assert train("pix2pix", "resnet", "--init_from y.pth").code == 0
    stored = options_of("resnet")
    assert [stored[name] for name in ("netG", "ngf", "norm")] == ["resnet_2blocks", 8, "instance"]
    assert stored["no_dropout"] is True


def test_the_flags_of_all_networks_follow_from_a_run(train: Train, run_cli: RunCli, kept: Path) -> None:
    words = ["--dataroot", kept / "unaligned", "--name", "new", "--init_from", "cycle", "--crop_size", 32]
    done = run_cli("train", [*words, "--load_size", 32, "--display_id", 0, "--num_threads", 0, *BRIEF.split()])
    assert done.code == 0, done.stderr
    stored = options_of("new")
    wanted = ["resnet_1blocks", 4, "n_layers", 1, 4]
    assert [stored[name] for name in ("netG", "ngf", "netD", "n_layers_D", "ndf")] == wanted
    assert stored["pool_size"] == 50, "only networks are taken over"


@pytest.mark.parametrize(
    ("source", "flags", "words"),
    [
        ("x.pth", "--ngf 16", "x.pth does not fit the network built by .*--ngf 16.*pass --netG unet_32 .*--ngf 8"),
        ("x.pth", "--netG resnet_2blocks", "x.pth does not fit .*--netG resnet_2blocks"),
        ("x.pth", "--norm instance", "x.pth does not fit .*--norm instance"),
        ("x.pth,y.pth", "", "--init_from names 2 files, but the model has the generators \\['G'\\]"),
        ("nowhere", "", "--init_from nowhere: there is no such file, and no run checkpoints/nowhere; check the name"),
        ("gone.pth,x.pth", "", "--init_from gone.pth: there is no such file"),
        ("pix,x.pth", "", "is neither one run nor a list of files; give a run's name, or a.pth,b.pth"),
        (",", "", "is neither one run nor a list of files"),
        ("cut.pth", "", "cut.pth is damaged or cut off"),
        ("cut.safetensors", "", "cut.safetensors is no whole safetensors file"),
        ("checkpoints/pix/latest_state.pth", "", "latest_state.pth is not the weights of a network"),
        ("checkpoints/pix/latest_net_D.pth", "", "latest_net_D.pth: this is not the file of a .* generator"),
        ("empty", "", "empty holds no latest_net_G.pth or latest_net_G_A.pth; give such a file itself"),
        ("discriminators", "", "discriminators holds no latest_net_G.pth or latest_net_G_A.pth"),
    ],
)
def test_what_cannot_be_taken_is_a_sentence(train: Train, source: str, flags: str, words: str) -> None:
    save_generator("x.pth", unet=True)
    save_generator("y.pth")
    for suffix in ("pth", "safetensors"):
        save_generator(f"cut.{suffix}")
        path = Path(f"cut.{suffix}")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    Path("checkpoints/empty").mkdir()
    shutil.copytree("checkpoints/pix", "checkpoints/discriminators")
    Path("checkpoints/discriminators/latest_net_G.pth").unlink()
    refused(train("pix2pix", "new", f"--init_from {source} {flags}"), words)
    assert not list(Path("checkpoints").glob("new/*.pth"))


@pytest.mark.parametrize(
    ("model", "taker", "source", "giver", "fresh"),
    [("pix2pix", "G", "cycle", "G_A", ["D"]), ("cycle_gan", "G_A", "pix", "G", ["G_B", "D_A", "D_B"])],
)
def test_pix2pix_and_one_direction_of_a_cycle_start_from_each_other(
    model: str, taker: str, source: str, giver: str, fresh: list[str], train: Train
) -> None:
    done = train(model, "new", f"--init_from {source} {STILL}")
    assert done.code == 0, done.stderr
    assert same(weights_of("new", taker), weights_of(source, giver))
    assert all(f"network {name} starts fresh" in done.stdout for name in fresh)


def test_a_run_can_start_anew_from_itself_but_says_so_first(train: Train) -> None:
    before = weights_of("pix", "G")
    refused(train("pix2pix", "pix", "--init_from pix"), "checkpoints/pix holds a run already")
    assert same(weights_of("pix", "G"), before)
    done = train("pix2pix", "pix", f"--init_from pix --overwrite {STILL}")
    assert done.code == 0, done.stderr
    assert same(weights_of("pix", "G"), before)
    assert [event[:3] for event in losses_of("pix")] == [(1, 1, 1), (1, 2, 2), (1, 3, 3)]


def test_with_resume_auto_the_first_start_initialises_and_the_second_goes_on(train: Train) -> None:
    two = "--n_epochs 2 --init_from pix"
    assert train("pix2pix", "whole", two).code == 0
    first = train("pix2pix", "new", "--init_from pix --resume auto")
    assert "network G starts from checkpoints/pix/latest_net_G.pth" in first.stdout
    Path("checkpoints/pix/latest_net_G.pth").unlink()  # is not looked at again
    second = train("pix2pix", "new", f"{two} --resume auto")
    assert second.code == 0, second.stderr
    assert "starts from" not in second.stdout
    assert "epoch 2, 3 images seen" in second.stdout
    assert_same_run("new", "whole")


@pytest.mark.parametrize("how", ["--continue_train", "--resume auto"])
def test_a_run_that_exists_cannot_be_initialised_any_more(train: Train, how: str) -> None:
    refused(train("pix2pix", "pix", f"--init_from cycle {how}"), "--init_from cycle cannot continue this run")


@pytest.mark.parametrize(
    ("model", "flags", "fresh"),
    [("pix2pix", flag, "D") for flag in ("--no_conditional_D", "--ndf 8", "--spectral_norm D")] + [("cut", "", "DF")],
)
def test_what_helps_to_train_starts_fresh_where_it_is_of_another_kind(
    train: Train, model: str, flags: str, fresh: str
) -> None:
    done = train(model, "other", f"--init_from pix {flags}")
    assert done.code == 0, done.stderr
    assert all(f"network {name} starts fresh: " in done.stdout + done.stderr for name in fresh)
    assert "network G starts from" in done.stdout
