"""The held-out samples: which images they are, and that translating them changes nothing."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from data.batch import Batch
from models.base import TranslationModel
from models.registry import create_model
from models.samples import Samples, at_most, load_samples
from options.cli import parse_train
from tests.images import an_image, side_by_side, write
from tests.same_runs import LAYOUT
from tests.small import NETS, random_batch, train_steps, trained_models, training, weights

TRAINED = trained_models()
CPU = torch.device("cpu")
LEVELS = {"train": 40, "val": 80, "test": 120, "extra": 160}  # gray levels that tell the folders apart


def batches(model: TranslationModel[Any], count: int, size: int = 16) -> list[Batch]:
    return [random_batch(model.opt, seed=100 + number, size=size) for number in range(count)]


def loaded(root: Path, flags: str = "", model: str = "pix2pix") -> Samples:
    words = f"--dataroot {root} --model {model} {NETS} --load_size 36 --crop_size 32 --gpu_ids -1 {flags}"
    opt = parse_train(words.split())
    return load_samples(opt, create_model(opt), CPU)


def write_pair(path: Path, level: int) -> None:
    image = Image.new("RGB", (36, 36), (level, level, level))
    write(side_by_side(image, image), path)


def levels(samples: Samples) -> list[int]:
    """Return the mean gray level of each sample's input."""
    return [round((row["real_A"].mean().item() + 1) * 127.5) for row in samples.translate().rows]


@pytest.mark.parametrize(
    ("flags", "size"),
    [("--dropout --norm batch", 16), ("--norm instance --gan_mode wgangp", 16), ("--netG unet_32 --norm batch", 32)],
)
@pytest.mark.parametrize("name", TRAINED)
def test_a_training_goes_on_as_without_samples(name: str, flags: str, size: int) -> None:
    flags += " --pool_size 2" if name == "cycle_gan" else ""
    flags = flags.replace("unet_32", "resnet_2blocks") if name == "cut" else flags
    alone, watched = training(name, flags), training(name, flags)
    samples = Samples(watched[0], batches(watched[0], 2, size))
    for number in range(3):
        samples.translate()
        torch.rand(number)
        assert train_steps(*alone, 1, size=size) == train_steps(*watched, 1, size=size)
        samples.translate()
    for key, value in weights(alone[0]).items():
        assert torch.equal(value, watched[0].state_dict()[key]), key


@pytest.mark.parametrize("name", TRAINED)
def test_translating_leaves_weights_statistics_gradients_and_modes(name: str) -> None:
    model, stepper, progress = training(name, "--dropout --norm batch")
    train_steps(model, stepper, progress, 1)
    before, modes = weights(model), [module.training for module in model.modules()]
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    rows, _ = Samples(model, batches(model, 3)).translate()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    after = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(torch.equal(*both) for both in zip(gradients, after, strict=True))
    assert not any(image.requires_grad for row in rows for image in row.values())


@pytest.mark.parametrize("name", TRAINED)
def test_the_same_weights_give_the_same_images_and_new_ones_others(name: str) -> None:
    model, stepper, progress = training(name, "--dropout --norm batch")
    samples = Samples(model, batches(model, 2))
    first = samples.translate().rows
    torch.rand(17)
    for row, again in zip(first, samples.translate().rows, strict=True):
        assert list(row) == list(again)
        assert all(torch.equal(row[label], again[label]) for label in row)
        assert all(image.shape[0] == 1 and image.shape[1] in (1, 3) for image in row.values())
    train_steps(model, stepper, progress, 1)
    later = samples.translate().rows[0]
    made = {label[:4] for label in later if not torch.equal(first[0][label], later[label])}
    assert {"fake"} <= made <= {"fake", "rec_"}


def test_dropout_and_batch_norm_work_as_in_training() -> None:
    model, stepper, progress = training("pix2pix", "--dropout --norm batch")
    train_steps(model, stepper, progress, 2)
    (row,) = Samples(model, batches(model, 1)).translate().rows
    torch.manual_seed(model.opt.run.seed)
    with torch.no_grad():
        assert torch.equal(row["fake_B"], model.visuals(model(batches(model, 1)[0]))["fake_B"])
        model.eval()
        assert not torch.equal(row["fake_B"], model.visuals(model(batches(model, 1)[0]))["fake_B"])


def test_there_are_no_identity_images() -> None:
    model, _, _ = training("cycle_gan", "--lambda_identity 0.5")
    (row,) = Samples(model, batches(model, 1)).translate().rows
    assert list(row) == ["real_A", "fake_B", "rec_A", "real_B", "fake_A", "rec_B"]


@pytest.mark.parametrize(
    ("phases", "flags", "chosen"),
    [
        ("train val test", "", "val"),
        ("train test", "", "test"),
        ("train val test extra", "--val_phase extra", "extra"),
        ("train val test", "--val_phase extra", "test"),
        ("train", "", "train"),
    ],
)
def test_held_out_images_come_first(
    phases: str, flags: str, chosen: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for phase in phases.split():
        for number in range(2):
            write_pair(tmp_path / phase / f"{number}.png", LEVELS[phase])
    assert levels(loaded(tmp_path, flags)) == [LEVELS[chosen]] * 2
    told = f"there are no held-out images in {tmp_path}: the samples are training images" in caplog.messages
    assert told is (chosen == "train")


def test_a_folder_without_its_counterpart_or_without_images_is_passed_over(unaligned_root: Path) -> None:
    for path in (unaligned_root / "valB").iterdir():
        path.unlink()
    for number in range(2):
        write(Image.new("RGB", (36, 36), "white"), unaligned_root / "testA" / f"a{number}.png")
    assert levels(loaded(unaligned_root, model="cycle_gan")) == [255, 255]


@pytest.mark.parametrize(("wanted", "expected"), [(4, [0, 20, 40, 60]), (3, [0, 20, 50]), (20, [*range(0, 80, 10)])])
def test_samples_are_spread_over_the_folder(wanted: int, expected: list[int], tmp_path: Path) -> None:
    for number in range(8):
        write_pair(tmp_path / "val" / f"{number}.png", 10 * number)
    assert levels(loaded(tmp_path, f"--display_samples {wanted}")) == expected


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sample_is_the_whole_image_and_not_mirrored(seed: int, tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 64))
    image.paste("white", (32, 32, 64, 64))
    write(side_by_side(image, image), tmp_path / "val" / "corner.png")
    (row,) = loaded(tmp_path, f"--load_size 64 --crop_size 32 --seed {seed}").translate().rows
    assert row["real_A"].shape == (1, 3, 32, 32)
    assert row["real_A"][..., :14, :].max() < -0.9
    assert row["real_A"][..., :14].max() < -0.9
    assert row["real_A"][..., 18:, 18:].min() > 0.9


def test_an_image_that_cannot_be_used_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (0, 2, 3):
        write_pair(tmp_path / "val" / f"{number}.png", 50 * number)
    (tmp_path / "val" / "1.png").write_bytes(b"no image")
    write(Image.new("RGB", (8, 4)), tmp_path / "val" / "3.png")  # halves of 4x4 pixels are too small for D
    assert levels(loaded(tmp_path, "--preprocess none")) == [0, 100]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.startswith("left out of the samples: ") for text in warned] == [True, True]
    assert ("1.png" in warned[0], "3.png" in warned[1]) == (True, True)


def test_without_a_usable_image_or_any_wish_for_one_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert loaded(tmp_path / "none", "--display_samples 0").translate() == ([], {})
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "0.png").write_bytes(b"no image")
    assert loaded(tmp_path).translate() == ([], {})


@pytest.mark.parametrize("name", TRAINED)
def test_every_model_translates_what_its_data_set_holds_out(name: str, request: pytest.FixtureRequest) -> None:
    samples = loaded(request.getfixturevalue(LAYOUT.get(name, "aligned_root")), model=name)
    rows, scores = samples.translate()
    assert len(rows) == 2
    assert all(image.shape[2:] == (32, 32) and image.abs().max() <= 1 for row in rows for image in row.values())
    assert all(value >= 0 for value in scores.values())


def test_a_model_that_cannot_translate_the_samples_trains_without_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, _, _ = training("pix2pix", "--norm batch")
    samples, before = Samples(model, batches(model, 2)), weights(model)
    monkeypatch.setattr(model, "visuals", lambda out: 1 / 0)
    assert samples.translate() == samples.translate() == ([], {})
    assert len(caplog.messages) == 1
    assert "no more samples" in caplog.text
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_held_out_images_that_cannot_be_paired_are_told_and_not_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("trainA", "trainB", "valA", "valB"):
        write(an_image(0), tmp_path / folder / "x.png")
    write(an_image(0), tmp_path / "valA" / "alone.png")
    loaded(tmp_path, "")
    assert "the held-out ones cannot be read: 1 files have no partner" in caplog.text


def test_very_large_samples_are_cut() -> None:
    images = torch.arange(2000.0).view(1, 1, 1, 2000).expand(1, 3, 1500, 2000)
    cut = at_most(Batch(images, None, ("a",), ("",)), 1024)
    assert cut.A.shape == (1, 3, 1024, 1024)
    assert cut.A[0, 0, 0, 0] == 488
    small = Batch(torch.zeros(1, 3, 20, 1500), None, ("a",), ("",))
    assert at_most(small, 1024).A.shape == (1, 3, 20, 1024)
