"""CUT and FastCUT: their losses by the paper's formulas, their images, a run from the training to a translation."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from inference.load import load
from models.init_from import start_from
from models.registry import create_model
from networks.patch_sampler import Encoder
from tests.conftest import RunCli
from tests.small import random_batch, save_at, small_options, train_steps, training, weights

FAST = "--CUT_mode FastCUT"
ALL = "--num_patches 9999"  # every point of every map: then it does not matter in which order they are drawn


def all_places(features: Tensor) -> Tensor:
    return features.flatten(2).transpose(1, 2)  # N x P x C


def expected_nce(model: Any, real: Tensor, made: Tensor, mirrored: Tensor | None = None) -> float:
    """Equations 3 and 4 over all places, and lambda: the networks are asked, nothing else of the model."""
    G, own, losses = model.networks["G"], model.opt.own, []
    layers = (0, 4, 7, 10)  # of a generator with one block
    for number, layer in enumerate(layers):
        key, query = (G.model[: layer + 1](images) for images in (real, made))
        if mirrored is not None:
            query = torch.where(mirrored, query.flip(3), query)
        k, q = all_places(key), all_places(query)
        if "F" in model.networks:
            first, last = (model.networks["F"][f"mlp_{number}"][place] for place in (0, 2))
            k, q = (last(F.relu(first(patches))) for patches in (k, q))
        k, q = (patches / (patches.norm(dim=2, keepdim=True) + 1e-7) for patches in (k, q))
        odds = (torch.einsum("npc,nqc->npq", q, k) / own.nce_T).exp()
        losses.append(-(odds.diagonal(dim1=1, dim2=2) / odds.sum(2)).log().mean())
    return float(sum(losses) / len(losses)) * float(own.lambda_NCE)


@pytest.mark.parametrize(
    "flags",
    ["", FAST, f"{FAST} --nce_idt", "--netF sample", "--nce_T 0.5 --lambda_NCE 3 --lambda_GAN 2 --gan_mode vanilla"],
)
def test_losses_equal_their_definition(flags: str) -> None:
    model, stepper, progress = training("cut", f"{ALL} --lr 1e-15 --batch_size 3 {flags}")
    model.double()
    batch = random_batch(model.opt, 3)
    A, B = batch.A.double(), batch.target.double()
    out, losses, _ = stepper.step(batch._replace(A=A, B=B), progress)
    G, D, own = model.networks["G"], model.networks["D"], model.opt.own

    with torch.no_grad():
        shown = A if out.A.mirrored is None else torch.where(out.A.mirrored, A.flip(3), A)
        fake = G(shown)
        expected = {"NCE": expected_nce(model, A, fake, out.A.mirrored)}
        if own.nce_idt:
            again = G(B if out.B.mirrored is None else torch.where(out.B.mirrored, B.flip(3), B))
            expected["NCE_Y"] = expected_nce(model, B, again, out.B.mirrored)
        on_fake, on_real = D(fake), D(B)
        if model.opt.optim.gan_mode == "lsgan":
            expected["G_GAN"] = float(((on_fake - 1) ** 2).mean() * own.lambda_GAN)
            expected["D_real"], expected["D_fake"] = float(((on_real - 1) ** 2).mean()), float((on_fake**2).mean())
        else:
            expected["G_GAN"] = -float(on_fake.sigmoid().log().mean() * own.lambda_GAN)
            expected["D_real"] = -float(on_real.sigmoid().log().mean())
            expected["D_fake"] = -float((1 - on_fake.sigmoid()).log().mean())
    nce = [expected[name] for name in ("NCE", "NCE_Y") if name in expected]
    expected["G"] = expected["G_GAN"] + sum(nce) / len(nce)
    assert {name: float(value) for name, value in losses.items()} == pytest.approx(expected, rel=1e-6)
    order = ["G_GAN", "D_real", "D_fake", "G", "NCE", "NCE_Y"]
    assert list(losses) == order[: len(expected)]


def test_half_of_the_images_are_shown_in_a_mirror_in_training_alone() -> None:
    model, stepper, progress = training("cut", f"{FAST} --batch_size 64 --lr 1e-12")
    batch = random_batch(model.opt, 64)
    out = stepper.step(batch, progress).out
    assert 15 < int(out.A.mirrored.sum()) < 49
    visuals = model.visuals(out)
    plain = model.networks["G"](batch.A)
    straight, turned = out.A.mirrored.flatten().logical_not(), out.A.mirrored.flatten()
    torch.testing.assert_close(visuals["fake_B"][straight], plain[straight])
    again = model.networks["G"](batch.A.flip(3)).flip(3)
    torch.testing.assert_close(visuals["fake_B"][turned], again[turned], msg="images are the right way round")
    model.training = False  # as for samples
    assert model(batch).A.mirrored is None
    assert training("cut")[0](batch).A.mirrored is None


@pytest.mark.parametrize("flags", ["", FAST, "--netF sample", f"{FAST} --nce_idt --norm batch --dropout"])
def test_two_steps_move_every_weight(flags: str) -> None:
    model, stepper, progress = training("cut", f"--num_patches 16 {flags}")
    for _ in range(2):
        before = weights(model.networks)
        (losses,) = train_steps(model, stepper, progress, 1, count=2)
        assert all(math.isfinite(value) for value in losses.values())
        for key, parameter in model.networks.named_parameters():
            assert parameter.grad is not None, key
            if parameter.ndim > 1 or "F." in key:
                assert not torch.equal(parameter, before[key]), key


def test_the_contrastive_loss_is_learned_though_it_alone_is_there() -> None:
    model, stepper, progress = training("cut", "--lambda_GAN 0 --netG resnet_2blocks --lr 0.002")
    assert set(model.networks) == {"G", "F"}
    batch, history = random_batch(model.opt, 2), []
    for _ in range(30):
        history.append({name: float(value) for name, value in stepper.step(batch, progress).losses.items()})
        progress.advance(2)
    assert list(history[0]) == ["G", "NCE", "NCE_Y"]
    assert history[-1]["NCE"] < 0.8 * history[0]["NCE"]


def test_without_a_contrastive_loss_there_is_nothing_to_compare() -> None:
    model, stepper, progress = training("cut", "--lambda_NCE 0")
    assert set(model.networks) == {"G", "D"}
    out, losses, _ = stepper.step(random_batch(model.opt), progress)
    assert list(losses) == ["G_GAN", "D_real", "D_fake", "G"]
    assert list(model.visuals(out)) == ["real_A", "fake_B", "real_B"]


def test_images_have_the_official_labels() -> None:
    labels = ["real_A", "fake_B", "real_B", "idt_B"]
    for flags, expected in (("", labels), (FAST, labels[:3])):
        model, stepper, progress = training("cut", flags)
        batch = random_batch(model.opt)
        out = stepper.step(batch, progress).out
        assert list(model.visuals(out)) == expected
        assert [*model.translations(out)] == ["G"]
        model.training = False
        assert list(model.visuals(model(batch))) == labels[:3]


def test_the_generator_alone_is_averaged_and_fits_the_other_models(tmp_path: Path) -> None:
    model, stepper, progress = training("cut", "--ema 0.9")
    train_steps(model, stepper, progress, 2)
    (tmp_path / "run").mkdir()
    save_at(tmp_path / "run", model, stepper, progress, "latest")
    names = {path.name for path in (tmp_path / "run").glob("*_net_*")}
    assert names == {f"latest_net_{name}.pth" for name in ("G", "D", "F", "G_ema")}
    cycle = create_model(small_options("cycle_gan"))
    start_from(cycle, str(tmp_path / "run"), str(tmp_path))
    averaged = torch.load(tmp_path / "run" / "latest_net_G_ema.pth", weights_only=True)
    assert torch.equal(cycle.networks["G_A"].state_dict()["model.1.weight"], averaged["model.1.weight"])


def test_the_encoder_sees_what_the_generator_learned() -> None:
    model, stepper, progress = training("cut", "--lr 0.01")
    encoder = model.encoder
    assert isinstance(encoder, Encoder)
    image = random_batch(model.opt).A
    before = [found.clone() for found in encoder.maps(image)][-1]
    train_steps(model, stepper, progress, 1)
    assert not torch.allclose([*encoder.maps(image)][-1], before)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_a_run_trains_is_tested_and_translates_its_one_direction(
    direction: str, unaligned_root: Path, tiny: list[str], run_cli: RunCli, tmp_path: Path
) -> None:
    words = [*tiny, "--netG", "resnet_1blocks", "--name", "run", "--model", "cut", "--direction", direction]
    done = run_cli("train", ["--dataroot", unaligned_root, *words, "--CUT_mode", "FastCUT", "--num_patches", "9"])
    assert done.code == 0, done.stderr
    assert "patches are compared behind the layers 0, 4, 7, 10 of G" in done.stdout
    folder = tmp_path / "checkpoints" / "run"
    options = json.loads((folder / "train_opt.json").read_text())
    assert (options["lambda_NCE"], options["flip_equivariance"]) == (10, True)
    assert "lambda_NCE: 10.0" in (folder / "train_opt.txt").read_text()
    again = run_cli("train", ["--name", "run", "--continue_train", "--n_epochs", "2"])
    assert again.code == 0, again.stderr

    for model, labels in (("cut", ("real_A", "fake_B", "real_B")), ("test", ("real", "fake"))):
        root = unaligned_root if model == "cut" else unaligned_root / f"test{direction[0]}"
        done = run_cli("test", ["--dataroot", root, "--name", "run", "--model", model])
        assert done.code == 0, done.stderr
        images = {path.name for path in (tmp_path / "results" / "run" / "test_latest" / "images").iterdir()}
        assert {name.split("_", 1)[1] for name in images if name.split("_", 1)[1][:-4] in labels}
    translator = load(folder, device="cpu", precision="fp32")
    assert translator.direction == direction
    image = Image.open(next((unaligned_root / f"test{direction[0]}").iterdir()))
    assert translator(image).size == image.size
