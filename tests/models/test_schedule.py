"""The learning rate of every epoch, under every policy."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.schedule import lr_factor
from options.training import OptimOptions
from tests.conftest import RunCli
from tests.refusals import refused
from tests.same_runs import losses_of

PIX2PIX = ["--model", "pix2pix", "--netG", "resnet_1blocks", "--norm", "instance"]


def curve(**settings: object) -> list[float]:
    opt = OptimOptions(**settings)  # type: ignore[arg-type]
    return [lr_factor(opt, epoch) for epoch in range(1, opt.last_epoch + 1)]


def test_linear_is_the_official_curve() -> None:
    factors = curve()
    assert len(factors) == 200
    assert factors[:100] == [1.0] * 100
    assert factors[100] == pytest.approx(100 / 101)
    assert factors[149] == pytest.approx(51 / 101)
    assert factors[199] == pytest.approx(1 / 101)
    assert np.diff(factors[99:]) == pytest.approx(-1 / 101)
    assert min(factors) > 0


@pytest.mark.parametrize(("keep", "fall"), [(0, 1), (0, 10), (1, 0), (1, 1), (7, 0), (7, 10)])
def test_no_policy_has_an_epoch_without_learning_or_a_rise(keep: int, fall: int) -> None:
    for policy in ("linear", "step", "cosine"):
        factors = curve(n_epochs=keep, n_epochs_decay=fall, lr_policy=policy)
        assert len(factors) == keep + fall
        assert all(0 < factor <= 1 for factor in factors), policy
        assert factors == sorted(factors, reverse=True), policy


def test_linear_without_decay_epochs_stays_at_one() -> None:
    assert curve(n_epochs=5, n_epochs_decay=0) == [1.0] * 5


def test_step_is_a_tenth_after_every_interval() -> None:
    factors = curve(n_epochs=7, n_epochs_decay=3, lr_policy="step", lr_decay_iters=4)
    assert factors == pytest.approx([1] * 4 + [0.1] * 4 + [0.01] * 2)


def test_cosine_falls_once_over_all_epochs() -> None:
    factors = curve(n_epochs=60, n_epochs_decay=40, lr_policy="cosine")
    assert factors[0] == 1
    assert factors[50] == pytest.approx(0.5)
    assert (np.diff(factors) < 0).all()
    assert 0 < factors[-1] < 0.001


@pytest.mark.parametrize("seed", range(20))
def test_plateau_equals_the_scheduler_of_pytorch(seed: int) -> None:
    random = np.random.RandomState(seed)
    falling = np.exp(-np.arange(60) / random.uniform(5, 30))
    metrics = (falling + random.uniform(0, 0.2) * random.uniform(size=60)).round(random.randint(1, 4)).tolist()
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.2, threshold=0.01, patience=5, eps=0
    )
    opt = OptimOptions(lr_policy="plateau")
    for epoch in range(1, len(metrics) + 1):
        factor = lr_factor(opt, epoch, metrics[: epoch - 1])
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"]), epoch
        reference.step(metrics[epoch - 1])


def test_plateau_waits_for_six_epochs_without_improvement() -> None:
    opt = OptimOptions(lr_policy="plateau")
    assert [lr_factor(opt, n + 1, [1.0] * n) for n in (0, 1, 6, 7, 12, 13)] == pytest.approx([1, 1, 1, 0.2, 0.2, 0.04])


def test_plateau_falls_when_the_score_stands_still(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": 0.5})
    flags = [*tiny, "--n_epochs", "9", "--lr_policy", "plateau", "--name", "run", "--no_html", "--lr", "0.001"]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *flags, "--max_dataset_size", "1"])
    assert done.code == 0, done.stderr
    rates = {epoch: rate for epoch, _, _, rate, _ in losses_of("run")}
    assert list(rates.values()) == pytest.approx([0.001] * 7 + [0.0002] * 2)


def test_plateau_without_held_out_images_is_refused_with_what_to_do(
    aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    (aligned_root / "val").rename(aligned_root / "elsewhere")
    argv = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--lr_policy", "plateau"]
    refused(run_cli("train", argv), "validation needs held-out images.*--val_phase.*--val_share 0.1")
    assert run_cli("train", [*argv, "--val_phase", "elsewhere"]).code == 0
