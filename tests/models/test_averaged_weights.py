"""Who takes the averaged weights of a run with ``--ema``: a test, an export and a new run, unless told otherwise."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from tests.conftest import RunCli
from tests.images import write_unaligned
from tests.refusals import refused
from util.checkpoint import load_weights

RUN = Path("checkpoints", "run")
SMALL = "--netG resnet_1blocks --ngf 4 --ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 --crop_size 32"
BRIEF = "--num_threads 0 --display_id 0 --no_html --n_epochs 1 --n_epochs_decay 0"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is drawn and trained once."""
    folder = tmp_path_factory.mktemp("kept")
    write_unaligned(folder / "images")
    return folder


@pytest.fixture
def averaged(run_cli: RunCli, kept: Path) -> Path:
    """The folder of a finished CycleGAN run of three steps whose averages turn every image gray."""
    if not (kept / "checkpoints").exists():
        words = f"--dataroot {kept}/images --name run {SMALL} {BRIEF} --ema 0.9"
        assert run_cli("train", words.split()).code == 0
        for path in RUN.glob("*_ema.pth"):
            torch.save({key: torch.zeros_like(value) for key, value in load_weights(path).items()}, path)
        shutil.copytree("checkpoints", kept / "checkpoints")
    shutil.copytree(kept / "checkpoints", "checkpoints", dirs_exist_ok=True)
    return RUN


def names(pattern: str, folder: Path = RUN) -> set[str]:
    return {path.name.split(".")[0] for path in folder.glob(pattern)}


def are_gray(folder: str) -> bool:
    """Tell whether all results in a folder are; some must be one or the other."""
    extremes = {Image.open(path).convert("L").getextrema() for path in Path(folder).rglob("*_fake*.png")}
    assert extremes
    return extremes <= {(127, 127), (128, 128)}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("words", "gray"), [("", True), ("--ema 0", False), ("--ema 0.5", True)])
def test_a_test_takes_the_average_unless_the_raw_weights_are_asked_for(
    own: bool, words: str, gray: bool, averaged: Path, kept: Path, run_cli: RunCli
) -> None:
    root = kept / "images" / ("" if own else "testA")
    single = "" if own else "--model test --model_suffix _A"
    done = run_cli("test", f"--name run --dataroot {root} {single} {words}".split())
    assert done.code == 0, done.stderr
    assert are_gray("results") is gray
    took = "net_G_A_ema.pth: the averaged weights" if gray else "net_G_A.pth: the raw weights"
    assert len([line for line in done.stdout.splitlines() if took in line]) == 1


def test_where_an_average_is_missing_the_sentence_says_how_to_go_on(
    averaged: Path, kept: Path, run_cli: RunCli
) -> None:
    (averaged / "latest_net_G_B_ema.pth").unlink()
    words = ["--name", "run", "--dataroot", kept / "images"]
    refused(run_cli("test", words), "no checkpoints/run/latest_net_G_B_ema.pth, the averaged .* pass --ema 0 for the")
    assert run_cli("test", [*words, "--ema", 0]).code == 0
    refused(run_cli("test", [*words, "--epoch", 99]), "there is no checkpoint .*99_net_G_A_ema.pth; check --name")


def test_an_export_takes_the_average_unless_the_raw_weights_are_asked_for(averaged: Path, run_cli: RunCli) -> None:
    assert run_cli("export", ["--name", "run"]).code == 0
    assert names("*.safetensors") == {"latest_net_G_A_ema", "latest_net_G_B_ema"}
    with safe_open(averaged / "latest_net_G_A_ema.safetensors", "pt") as file:
        assert (file.metadata()["network"], file.metadata()["weights"]) == ("G_A", "averaged")
        assert not any(file.get_tensor(key).any() for key in file.keys())  # noqa: SIM118
    assert run_cli("export", ["--name", "run", "--output", "raw", "--ema", 0]).code == 0
    assert names("*.safetensors", Path("raw")) == {"latest_net_G_A", "latest_net_G_B"}
    for path in averaged.glob("*_ema.*"):
        path.unlink()
    sentence = "there is no latest_net_G_A_ema.pth in checkpoints/run; pass --ema 0 for raw weights"
    refused(run_cli("export", ["--name", "run"]), sentence)


def test_exported_averages_alone_can_be_tested(averaged: Path, kept: Path, run_cli: RunCli) -> None:
    assert run_cli("export", ["--name", "run", "--output", "checkpoints/bare"]).code == 0
    words = ["--name", "bare", "--dataroot", kept / "images" / "testA", "--model_suffix", "_A"]
    refused(run_cli("test", words), "latest_net_G_A.pth, but the averaged weights latest_net_G_A_ema.*pass --ema 0.999")
    assert run_cli("test", [*words, "--ema", 0.999]).code == 0
    assert are_gray("results")


@pytest.mark.parametrize(
    ("source", "gray"), [("run", True), ("run/latest_net_G_A.pth", False), ("run/latest_net_G_A_ema.pth", True)]
)
def test_a_new_run_starts_from_the_average_unless_a_file_is_named(
    source: str, gray: bool, averaged: Path, kept: Path, run_cli: RunCli
) -> None:
    words = f"--dataroot {kept}/images --name new {SMALL} {BRIEF} --lr 1e-30 --init_from checkpoints/{source}"
    done = run_cli("train", words.split())
    assert done.code == 0, done.stderr
    start = load_weights(Path("checkpoints/new/latest_net_G_A.pth")).values()
    assert all(value.abs().max() < 1e-20 for value in start) is gray
    if source == "run":
        assert "network G_B starts from checkpoints/run/latest_net_G_B_ema.pth" in done.stdout
        assert "network D_A starts from checkpoints/run/latest_net_D_A.pth" in done.stdout


@pytest.mark.parametrize("value", ["1", "-0.1", "1.5"])
@pytest.mark.parametrize("program", ["train", "test"])
def test_what_is_no_share_is_refused(program: str, value: str, averaged: Path, kept: Path, run_cli: RunCli) -> None:
    words = ["--name", "run", "--dataroot", kept / "images", "--ema", value]
    sentence = r"\.py: error: --ema [-\d.]+ is outside \[0, 1\); the usual value is 0.999"
    refused(run_cli(program, words), sentence)
