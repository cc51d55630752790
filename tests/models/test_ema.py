"""``--ema``: what the average is, that training does not feel it, and that a resume keeps it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.ema import Averages
from models.samples import Samples, Translated
from models.stepper import Stepper
from models.trained_run import load_networks
from models.validation import Validation
from options.cli import parse_train
from options.errors import UserError
from tests.conftest import Finished, RunCli
from tests.images import write_aligned, write_unaligned
from tests.refusals import refused
from tests.same_runs import LAYOUT, differences, state_of
from tests.small import ALONE, random_batch, save_at, train_steps, training, weights
from util.checkpoint import load_weights
from util.progress import Progress

RUN = Path("checkpoints", "run")
SMALL = "--netG resnet_1blocks --ngf 4 --ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 --crop_size 32"
BRIEF = "--num_threads 0 --display_id 0 --no_html --print_freq 1 --n_epochs_decay 0"
Train = Callable[..., Finished]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is drawn and trained once."""
    folder = tmp_path_factory.mktemp("kept")
    write_aligned(folder / "aligned_root")
    write_unaligned(folder / "unaligned_root")
    return folder


@pytest.fixture
def train(run_cli: RunCli, kept: Path) -> Train:
    def run(model: str, flags: str, name: str = "run") -> Finished:
        root = kept / LAYOUT.get(model, "aligned_root")
        words = f"--model {model} --dataroot {root} --name {name} {SMALL} {BRIEF} {flags}"
        return run_cli("train", words.split())

    return run


def load(file: str, folder: Path = RUN) -> dict[str, Tensor]:
    return load_weights(folder / f"{file}.pth")


def names(pattern: str, folder: Path = RUN) -> set[str]:
    return {path.name.split(".")[0] for path in folder.glob(pattern)}


def by_hand(history: list[list[float]], ema: float) -> list[float]:
    """Average what a parameter was after each step, from the definition."""
    average = history[0]
    for n, values in enumerate(history):
        d = min(ema, n / (n + 9))
        average = [d * old + (1 - d) * new for old, new in zip(average, values, strict=True)]
    return average


@pytest.mark.parametrize("ema", [0.05, 0.15, 0.999])  # reached after the first update, after the second, and never
@pytest.mark.parametrize(("model", "generators"), [("cycle_gan", ["G_A", "G_B"]), ("pix2pix", ["G"])])
def test_the_average_is_that_of_the_definition(model: str, generators: list[str], ema: float, tmp_path: Path) -> None:
    built, stepper, progress = training(model, f"--ema {ema} --lr 0.01 --norm batch")
    history = []
    for _ in range(4):
        train_steps(built, stepper, progress, 1)
        history.append({name: weights(built.networks[name]) for name in generators})
    save_at(tmp_path, built, stepper, progress, "latest", "7")
    assert names("7_net_*_ema.pth", tmp_path) == {f"7_net_{name}_ema" for name in generators}
    for name in generators:
        raw, average = load(f"latest_net_{name}", tmp_path), load(f"latest_net_{name}_ema", tmp_path)
        assert differences(raw, history[-1][name]) == []
        assert list(average) == list(raw)
        parameters = dict(built.networks[name].named_parameters())
        assert [key for key in average if key not in parameters and not torch.equal(average[key], raw[key])] == []
        for key in parameters:
            values = [step[name][key].flatten().tolist() for step in history]
            torch.testing.assert_close(average[key].flatten(), torch.tensor(by_hand(values, ema)), rtol=1e-5, atol=1e-7)
            assert not torch.equal(average[key], raw[key])


def fail_inside(model: nn.Module, stepper: Stepper, inside: dict[str, Tensor]) -> None:
    with stepper.averages.in_use():
        inside |= weights(model)
        raise ZeroDivisionError


@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
def test_a_training_does_not_feel_the_average_nor_its_use(model: str) -> None:
    plain, watched = training(model, "--lr 0.01"), training(model, "--lr 0.01 --ema 0.9")
    for _ in range(3):
        assert train_steps(*plain, 1) == train_steps(*watched, 1)
        before = weights(watched[0])
        inside: dict[str, Tensor] = {}
        with pytest.raises(ZeroDivisionError):
            fail_inside(*watched[:2], inside)
        assert differences(weights(watched[0]), before) == []
    changed = {key.split(".")[1] for key in before if not torch.equal(before[key], inside[key])}
    assert changed == {name for name in watched[0].networks if name.startswith("G")}
    assert differences(weights(watched[0]), weights(plain[0])) == []


def test_a_step_that_updates_no_generator_leaves_the_average() -> None:
    model, stepper, progress = training("pix2pix", "--ema 0.9 --lr 0.01 --on_nan skip")
    train_steps(model, stepper, progress, 2)
    before = {key: value.clone() for key, value in stepper.averages.state_dict()["networks"]["G"].items()}
    stepper.step(random_batch(model.opt)._replace(A=torch.full((1, 3, 16, 16), float("nan"))), progress)
    after = stepper.averages.state_dict()
    assert after["updates"] == 2
    assert differences(after["networks"]["G"], before) == []


def test_before_the_first_step_the_average_is_the_weights() -> None:
    model, stepper, _ = training("pix2pix", "--ema 0.9")
    nn.init.ones_(next(model.networks["G"].parameters()))  # as --init_from does, after the stepper was built
    before = weights(model)
    assert float(next(iter(stepper.averages.state_dict()["networks"]["G"].values())).detach().min()) == 1
    with stepper.averages.in_use():
        assert differences(weights(model), before) == []


@pytest.mark.parametrize("number", [3, 4])
def test_a_resume_can_switch_it_on(number: int, train: Train) -> None:
    assert train("pix2pix", "--n_epochs 1").code == 0
    state = state_of("run")
    assert state["averages"] == {}
    state = {key: value for key, value in state.items() if number == 4 or key != "averages"}
    torch.save({**state, "format": number}, RUN / "latest_state.pth")
    done = train("pix2pix", "--n_epochs 2 --max_dataset_size 1 --continue_train --ema 0.5")
    assert done.code == 0, done.stderr
    assert "changed since the run was stopped: --ema 0.0 -> 0.5" in done.stdout
    assert "there are no averaged weights yet: the average (--ema 0.5) starts with the next step" in done.stdout
    assert state_of("run")["averages"]["updates"] == 1
    assert differences(load("latest_net_G_ema"), load("latest_net_G")) == []


def test_a_resume_can_switch_it_off_which_leaves_no_outdated_average(train: Train) -> None:
    assert train("pix2pix", "--n_epochs 1 --ema 0.9").code == 0
    done = train("pix2pix", "--n_epochs 2 --continue_train --ema 0")
    assert "the averaged weights are dropped (--ema 0)" in done.stdout
    assert state_of("run")["averages"] == {}
    assert names("*_ema.pth") == {"1_net_G_ema"}


def test_averages_are_deleted_with_the_weights_they_belong_to(train: Train) -> None:
    saves = "--save_epoch_freq 1 --save_by_iter --save_latest_freq 2 --keep_last 1"
    assert train("pix2pix", f"--n_epochs 3 --ema 0.9 {saves}").code == 0
    assert names("*_ema.pth") == {f"{prefix}_net_G_ema" for prefix in ("latest", "3", "iter_8")}


@pytest.mark.parametrize(
    "wrong",
    [{"updates": "3"}, {"updates": None}, {"networks": {}}, {"networks": {"G": 3}}, {"networks": "too small"}],
)
def test_a_state_with_half_an_average_is_a_sentence(wrong: dict[str, Any], train: Train) -> None:
    assert train("pix2pix", "--n_epochs 1 --ema 0.9").code == 0
    state = state_of("run")
    if isinstance(wrong.get("networks"), str):
        wrong = {"networks": {"G": {key: torch.ones(1) for key in state["averages"]["networks"]["G"]}}}
    state["averages"] |= wrong
    torch.save(state, RUN / "latest_state.pth")
    refused(train("pix2pix", "--n_epochs 2 --continue_train"), "latest_state.pth is incomplete")


def test_the_score_of_the_plateau_and_the_samples_are_of_the_average(
    train: Train, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags, translate = "--lr_policy plateau --norm instance --lr 0.01 --no_dropout", Samples.translate
    shown: list[dict[str, Tensor]] = []

    def noted(self: Samples) -> Translated:
        shown.append(weights(self._model))
        return translate(self)

    monkeypatch.setattr(Samples, "translate", noted)
    assert train("pix2pix", f"--n_epochs 2 --ema 0.9 {flags}").code == 0
    average = load("latest_net_G_ema")
    assert all(torch.equal(average[key], shown[-1][f"networks.G.{key}"]) for key in average)
    words = f"--model pix2pix --dataroot {kept / 'aligned_root'} {SMALL} {BRIEF} {flags}".split()
    opt, (built, *_) = parse_train(words), training("pix2pix", "--norm instance --no_dropout")
    scores = []
    for taken in (True, False):
        load_networks(built, RUN, "latest", averaged=taken)
        assert differences(weights(built.networks["D"]), load("latest_net_D")) == []
        scores.append(Validation(opt, built, ALONE).measure(built, Averages(built.networks, 0), Progress())["l1"])
    assert state_of("run")["progress"]["metrics"][-1] == pytest.approx(scores[0], rel=1e-4)
    assert scores[0] != pytest.approx(scores[1], rel=1e-5)
    assert "best_net_G_ema" in names("*.pth")


def test_a_model_without_generators_has_nothing_to_average() -> None:
    with pytest.raises(UserError, match="whose names begin with G, not N; leave it out"):
        Averages(nn.ModuleDict({"N": nn.Conv2d(1, 1, 1)}), 0.9)
