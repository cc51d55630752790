"""``--deterministic``: the same bits in every run, and nothing of it left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.optimizers import AnyOrderAdam
from tests.conftest import RunCli
from tests.same_runs import differences, state_of
from util.determinism import deterministic_kernels

CASES = {
    "cycle_gan": "--model cycle_gan --netG resnet_1blocks --dropout --pool_size 2",
    "pix2pix": "--model pix2pix --netG resnet_1blocks",
    "pix2pix unet wgangp": "--model pix2pix --netG unet_32 --norm instance --gan_mode wgangp",
}


@pytest.fixture(autouse=True)
def _settings_as_before() -> Iterator[None]:
    mode, benchmark = torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark
    yield
    torch.set_deterministic_debug_mode(mode)
    torch.backends.cudnn.benchmark = benchmark


@pytest.mark.parametrize("case", CASES)
def test_two_runs_end_with_the_same_bits(
    case: str, run_cli: RunCli, unaligned_root: Path, aligned_root: Path, tiny: list[str]
) -> None:
    root = unaligned_root if "cycle_gan" in case else aligned_root
    for number, name in enumerate(("one", "other")):
        torch.manual_seed(number)  # what came before is not to matter
        words = ["--dataroot", root, *CASES[case].split(), *tiny, "--deterministic", "--name", name]
        done = run_cli("train", words)
        assert done.code == 0, done.stderr
        assert "--deterministic: only kernels that give the same bits in every run" in done.stdout
    one, other = state_of("one"), state_of("other")
    for part in ("networks", "optimizers", "model", "progress"):
        assert differences(one[part], other[part]) == [], part
    assert one["options"]["deterministic"] is True


def test_it_is_in_force_in_every_step_and_over_afterwards(
    run_cli: RunCli, aligned_root: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    step = AnyOrderAdam.step

    def noted(self: AnyOrderAdam) -> None:
        seen.append((torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark))
        step(self)

    monkeypatch.setattr(AnyOrderAdam, "step", noted)
    words = ["--dataroot", aligned_root, "--model", "template", "--netG", "resnet_1blocks", *tiny]
    before = torch.get_deterministic_debug_mode()
    assert run_cli("train", [*words, "--deterministic"]).code == 0
    assert seen == [(True, False)] * 3
    assert torch.get_deterministic_debug_mode() == before
    seen.clear()
    assert run_cli("train", [*words, "--overwrite"]).code == 0
    assert [enabled for enabled, _ in seen] == [False] * 3


def test_a_continued_run_stays_deterministic_until_it_is_told_otherwise(
    run_cli: RunCli, aligned_root: Path, tiny: list[str]
) -> None:
    words = ["--dataroot", aligned_root, "--model", "template", "--netG", "resnet_1blocks", *tiny, "--deterministic"]
    assert run_cli("train", [*words, "--name", "run"]).code == 0
    go_on = ["--name", "run", "--continue_train", "--n_epochs"]
    assert "--deterministic: only kernels" in run_cli("train", [*go_on, 2]).stdout
    done = run_cli("train", [*go_on, 3, "--deterministic", "false"])
    assert done.code == 0, done.stderr
    assert "--deterministic: only kernels" not in done.stdout


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("benchmark", [True, False])
def test_the_settings_of_the_surrounding_program_come_back(mode: int, benchmark: bool) -> None:
    """The modes are off, warnings and errors."""
    torch.set_deterministic_debug_mode(mode)
    torch.backends.cudnn.benchmark = benchmark

    @deterministic_kernels(True)
    def failing() -> None:
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
        raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert (torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark) == (mode, benchmark)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_where_it_is_not_wanted_nothing_is_touched(mode: int) -> None:
    torch.set_deterministic_debug_mode(mode)
    with deterministic_kernels(False):
        assert torch.get_deterministic_debug_mode() == mode
    assert torch.get_deterministic_debug_mode() == mode


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_kernel_that_has_no_deterministic_kind_is_an_error_inside(mode: int) -> None:
    """So that a model which needs one is noticed; a surrounding program that only wants warnings does not matter."""
    torch.set_deterministic_debug_mode(mode)
    with deterministic_kernels(True), pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
