"""The command that writes generators for other programs."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.conftest import RunCli
from tests.refusals import refused
from tests.runs import make_run
from util.checkpoint import AVERAGED


def test_each_generator_becomes_a_file_that_says_how_to_build_and_feed_it(run_cli: RunCli, trained: Path) -> None:
    done = run_cli("export", ["--name", "cg"])
    assert done.code == 0, done.stderr
    assert sorted(path.name for path in trained.glob("*.safetensors")) == [
        "latest_net_G_A.safetensors",
        "latest_net_G_B.safetensors",
    ]
    with safe_open(trained / "latest_net_G_A.safetensors", "pt") as file:
        metadata = file.metadata()
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert metadata["network"] == "G_A"
    assert metadata["netG"] == "resnet_1blocks"
    assert (metadata["ngf"], metadata["norm"], metadata["no_dropout"]) == ("4", "instance", "true")
    assert (metadata["model"], metadata["direction"], metadata["crop_size"]) == ("cycle_gan", "AtoB", "32")
    official = torch.load(trained / "latest_net_G_A.pth", weights_only=True)
    assert weights.keys() == official.keys()
    assert all(torch.equal(weights[key], official[key]) for key in official)


def test_an_exported_generator_translates_as_the_original_does(
    run_cli: RunCli, trained: Path, unaligned_root: Path, tmp_path: Path
) -> None:
    assert run_cli("export", ["--name", "cg", "--output", "checkpoints/bare"]).code == 0
    bare = tmp_path / "checkpoints" / "bare"
    (bare / "latest_net_G_B.safetensors").unlink()
    for name in ("cg", "bare"):
        words = ["--name", name, "--model", "test", "--dataroot", unaligned_root / "testA", "--load_size", 32]
        done = run_cli("test", [*words, "--crop_size", 32, "--model_suffix", "_A"])
        assert done.code == 0, done.stderr
    one, other = (sorted(Path("results", name, "test_latest", "images").iterdir()) for name in ("cg", "bare"))
    assert [path.name for path in one] == [path.name for path in other] != []
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_the_metadata_know_a_unets_dropout_which_its_weights_do_not_show(
    run_cli: RunCli, aligned_root: Path, tiny: list[str]
) -> None:
    words = ["--dataroot", aligned_root, "--model", "pix2pix", "--netG", "unet_32", "--no_dropout", "--name", "p"]
    assert run_cli("train", [*words, *tiny]).code == 0
    assert run_cli("export", ["--name", "p", "--output", "checkpoints/bare"]).code == 0
    done = run_cli("test", ["--name", "bare", "--model", "test", "--dataroot", aligned_root / "test"])
    assert "no_dropout True" in done.stdout
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--name nowhere", "there is no run checkpoints/nowhere; check --name"),
        ("--name cg --epoch 77", "there is no 77_net_G_A.pth in checkpoints/cg; there are the epochs 1, latest"),
        ("--nam cg", "unrecognized arguments: --nam cg"),
        ("--name cg --load_iter -1", "--load_iter -1 is too small"),
        ("nowhere", "there is no run nowhere or checkpoints/nowhere; give a run's folder"),
        ("cg --to tflite", "invalid choice: 'tflite' (choose from"),
        ("cg --to torchscript --precision int8", "--precision int8 is for --to onnx and --to web; --to torch"),
        ("cg --precision fp16", "--precision fp16 is for --to onnx and --to web; --to safetensors keeps fp32"),
        ("cg --direction BtoC", "invalid choice: 'BtoC'"),
        ("cg other", "unrecognized arguments: cg other"),
        ("cg --name cg", "cg and --name cg both name a run; leave one of them out"),
        ("cg --eval", "--eval changes nothing in safetensors, which hold weights alone; leave it out"),
        ("cg --to web", "-o is missing: a folder for the page of --to web"),
        ("cg --ema 0.999", "there is no latest_net_G_A_ema.pth in checkpoints/cg; pass --ema 0 for raw weights"),
        ("checkpoints/cg/latest_net_G_A.pth --ema 0", "is one file, so --ema, --epoch and --load_iter have no choice"),
        ("checkpoints/cg/latest_net_G_A.pth --epoch 1", "is one file, so --ema, --epoch and --load_iter have no ch"),
        ("checkpoints/cg/latest_net_G_A.pth --direction BtoA", "latest_net_G_A.pth translates AtoB, not BtoA; leave"),
        ("checkpoints/cg/train_opt.json", "train_opt.json is no run; give a run's folder, or a .pth or .safetensors"),
        ("checkpoints/cg/latest_net_D_A.pth", "latest_net_D_A.pth does not fit the network built by"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str, run_cli: RunCli, trained: Path) -> None:
    refused(run_cli("export", words.split()), re.escape(sentence))
    assert not list(trained.glob("*.safetensors"))


def test_a_damaged_file_is_not_exported(run_cli: RunCli, trained: Path) -> None:
    path = trained / "latest_net_G_B.pth"
    path.write_bytes(path.read_bytes()[:5000])
    refused(run_cli("export", ["--name", "cg"]), "latest_net_G_B.pth is damaged")
    assert not (trained / "latest_net_G_B.safetensors").exists()


@pytest.mark.parametrize("words", ["cg", "checkpoints/cg", "--to safetensors cg", "cg --checkpoints_dir checkpoints"])
def test_a_run_is_named_by_a_word(words: str, run_cli: RunCli, tmp_path: Path) -> None:
    make_run(tmp_path / "checkpoints" / "cg")
    done = run_cli("export", words.split())
    assert done.code == 0, done.stderr
    files = [Path("checkpoints", "cg", f"latest_net_G_{way}.safetensors") for way in "AB"]
    assert all(path.exists() for path in files)
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == [str(path) for path in files]


def test_a_file_becomes_one_beside_it_in_the_place_of_an_older_one(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "cg")
    bare = tmp_path / "elsewhere" / "horses.pth"
    bare.parent.mkdir()
    (run / "latest_net_G_B.pth").rename(bare)
    bare.with_suffix(".ts.pt").write_bytes(b"old")
    done = run_cli("export", [bare, "--to", "torchscript"])
    assert done.code == 0, done.stderr
    assert [path.name for path in sorted(bare.parent.iterdir())] == ["horses.pth", "horses.ts.pt"]
    assert "horses.ts.pt (" in done.stdout
    assert "MB): AtoB, makes the same numbers as PyTorch" in done.stdout
    assert torch.jit.load(bare.with_suffix(".ts.pt")) is not None  # type: ignore[no-untyped-call]


def test_one_direction_only(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "cg")
    done = run_cli("export", [run, "--to", "torchscript", "--direction", "BtoA", "-o", "out"])
    assert done.code == 0, done.stderr
    assert [path.name for path in Path("out").iterdir()] == ["latest_net_G_B.ts.pt"]


def test_averaged_weights_are_named_and_taken_as_by_a_test(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "e", "pix2pix", "--ema 0.9")
    averaged, raw = run / f"latest_net_G{AVERAGED}.pth", run / "latest_net_G.pth"
    before = torch.load(raw)
    changed = {key: value + 1 for key, value in before.items()}
    torch.save(changed, averaged)
    for words, file, weights, wanted in (([], averaged, "averaged", changed), (["--ema", 0], raw, "raw", before)):
        done = run_cli("export", [run, "-o", weights, *words])
        assert done.code == 0, done.stderr
        (path,) = Path(weights).iterdir()
        assert path.name == f"{file.stem}.safetensors"
        with safe_open(path, "pt") as written:
            assert written.metadata()["weights"] == weights
            assert all(torch.equal(written.get_tensor(key), wanted[key]) for key in wanted)


@pytest.mark.parametrize(("kind", "names"), [("onnx", "onnx onnxscript onnxruntime"), ("web", "onnx onnxscript")])
def test_missing_packages_are_named_with_what_to_type(
    kind: str, names: str, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in names.split() else real(name, *rest)
    )
    done = run_cli("export", [make_run(tmp_path / "p", "pix2pix"), "--to", kind, "-o", "out"])
    refused(done, f"--to {kind} needs the packages {' and '.join(names.split())}; type: pip install {names}$")
    assert not Path("out").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "p", "pix2pix")
    Path("taken").write_text("a file")
    refused(run_cli("export", [run, "-o", "taken"]), "cannot write to the folder taken")
