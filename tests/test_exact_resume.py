"""A training stopped by a signal and continued leaves the files of one that was never stopped, to the bit."""

import json
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

import pytest
import torch

from models.stepper import Stepper
from models.validation import Validation
from options.taken_over import NOT_RESUMED
from options.training import OptimOptions
from tests.conftest import Finished, RunCli
from tests.images import write_aligned, write_unaligned
from tests.same_runs import reports
from tests.small import small_options, trained_models
from util.stop import stop_signals

EVERY_RUN = "--name run --netG resnet_1blocks --batch_size 2 --n_epochs 2 --n_epochs_decay 2 --save_epoch_freq 1"
MID_EPOCH_3, END_OF_EPOCH_3 = 8, 9  # images seen: an epoch is a batch of two and one of one
Train = Callable[..., Finished]
Stopping = Callable[..., Finished]
Whole = Callable[[str], Path]


@pytest.fixture(autouse=True)
def noticed_signals() -> Iterator[None]:
    """Fail the test, rather than kill the test program, where a signal is not noted."""

    def unnoticed(number: int, frame: Any) -> NoReturn:
        raise AssertionError(f"{signal.Signals(number).name} came while the training did not wait for it")

    numbers = stop_signals()
    before = [signal.signal(number, unnoticed) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that suits every model: three train and two val images, in pairs and without."""
    return write_aligned(write_unaligned(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def finished() -> dict[str, Path]:
    """The run folders of trainings that were never stopped, by their flags."""
    return {}


@pytest.fixture
def train(run_cli: RunCli, tiny: list[str], data: Path) -> Train:
    def run(checkpoints: Path, flags: str) -> Finished:
        words = [*tiny, *EVERY_RUN.split(), *flags.split()]
        return run_cli("train", ["--dataroot", data, "--checkpoints_dir", checkpoints, *words])

    return run


@pytest.fixture
def whole(train: Train, finished: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Train without a stop, once for all tests that use the same flags; return the run folder."""

    def run(flags: str) -> Path:
        if flags not in finished:
            checkpoints = tmp_path_factory.mktemp("whole")
            done = train(checkpoints, flags)
            assert done.code == 0, done.stderr
            finished[flags] = checkpoints / "run"
        return finished[flags]

    return run


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Stopping:
    """Run something and send this process a signal during the step that reaches so many images."""

    def run(start: Callable[[], Finished], images: int, number: int = signal.SIGTERM) -> Finished:
        step = Stepper.step

        def signalled(self: Stepper, batch: Any, progress: Any) -> Any:
            if progress.images_seen < images <= progress.images_seen + batch.size:
                os.kill(os.getpid(), number)
            return step(self, batch, progress)

        with monkeypatch.context() as patch:
            patch.setattr(Stepper, "step", signalled)
            done = start()
        assert done.code == 128 + number, done.stderr
        assert f"stopped by {signal.Signals(number).name}" in done.stdout
        return done

    return run


def resume_words(stopped: Finished) -> list[str]:
    """Return the flags of the command that a stopped training prints."""
    line = next(line for line in stopped.stdout.splitlines() if line.endswith("--continue_train"))
    return shlex.split(line.split("python train.py ")[1])


def comparable(path: Path) -> Any:
    """Return of a file what must not depend on when it was written."""
    if path.suffix in (".pth", ".png"):
        return path.read_bytes()
    if path.name == "metrics.jsonl":
        return reports(path.parent)
    if path.name == "train_opt.json":
        return {key: value for key, value in json.loads(path.read_text()).items() if key not in NOT_RESUMED}
    return None  # pages and logs for people: they show times


def files(run: Path) -> dict[str, Any]:
    return {str(path.relative_to(run)): comparable(path) for path in run.rglob("*") if path.is_file()}


def assert_same_files(run: Path, reference: Path, *, but: tuple[str, ...] = ()) -> None:
    mine, theirs = files(run), files(reference)
    assert sorted(mine) == sorted(theirs)
    assert {Path(name).suffix for name in theirs} >= {".pth", ".png", ".jsonl", ".json"}
    assert [name for name in theirs if mine[name] != theirs[name] and name not in but] == []


def in_full_use(model: str) -> str:
    """Return the flags for dropout, and for an image pool where the model can have one."""
    try:
        small_options(model, "--pool_size 2")
    except SystemExit:
        return f"--model {model} --dropout"
    return f"--model {model} --dropout --pool_size 2"


def choices(flag: str) -> tuple[str, ...]:
    return get_args(get_type_hints(OptimOptions)[flag])


@pytest.fixture
def stop_and_go(train: Train, whole: Whole, stopping: Stopping, run_cli: RunCli, tmp_path: Path) -> Callable[..., Path]:
    """Train, stop, type what the program says, and compare with a training that was not stopped."""

    def run(flags: str, *stops: int, number: int = signal.SIGTERM, but: tuple[str, ...] = ()) -> Path:
        stopped = stopping(lambda: train(tmp_path, flags), stops[0], number)
        for images in stops[1:]:
            stopped = stopping(partial(run_cli, "train", resume_words(stopped)), images, number)
        done = run_cli("train", resume_words(stopped))
        assert done.code == 0, done.stderr
        assert_same_files(tmp_path / "run", whole(flags), but=but)
        return tmp_path / "run"

    return run


@pytest.mark.parametrize("model", trained_models())
def test_every_model_goes_on_exactly(model: str, stop_and_go: Any) -> None:
    stop_and_go(in_full_use(model), MID_EPOCH_3)


@pytest.mark.parametrize("stops", [(1,), (3,), (4,), (9,), (11,), (12,), (2, 8), (8, 9)])
@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
def test_a_run_goes_on_exactly_wherever_it_was_stopped(model: str, stops: tuple[int, ...], stop_and_go: Any) -> None:
    after_epoch_3 = stops[-1] > END_OF_EPOCH_3  # then the last state but one is that of the stop
    stop_and_go(in_full_use(model), *stops, but=("previous_state.pth",) if after_epoch_3 else ())


@pytest.mark.parametrize("name", [number.name for number in stop_signals()])
def test_every_signal_stops_a_run_that_goes_on_exactly(name: str, stop_and_go: Any) -> None:
    stop_and_go(in_full_use("pix2pix"), MID_EPOCH_3, number=getattr(signal, name))


@pytest.mark.parametrize("gan_mode", choices("gan_mode"))
def test_every_adversarial_loss_goes_on_exactly(gan_mode: str, stop_and_go: Any) -> None:
    stop_and_go(f"{in_full_use('cycle_gan')} --gan_mode {gan_mode}", MID_EPOCH_3)


@pytest.mark.parametrize(
    "more",
    [
        "--precision bf16",
        "--channels_last on",
        "--precision mixed --memory lowest",
        "--precision bf16 --accumulate 2",
        "--precision fp32 --spectral_norm GD --num_D 2 --ema 0.9",
        "--precision fp32 --spectral_norm GD --num_D 2 --memory lowest",
    ],
)
@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
def test_other_ways_to_compute_go_on_exactly(model: str, more: str, stop_and_go: Any) -> None:
    stop_and_go(f"{in_full_use(model)} {more}", MID_EPOCH_3)


@pytest.mark.parametrize("images", [MID_EPOCH_3, END_OF_EPOCH_3])
@pytest.mark.parametrize("policy", choices("lr_policy"))
def test_every_learning_rate_policy_goes_on_exactly(
    policy: str, images: int, stop_and_go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.schedule.PLATEAU_PATIENCE", 0)
    monkeypatch.setattr("models.schedule.PLATEAU_THRESHOLD", 1)  # no score is ever good enough: the rate falls
    decay = "--lr_decay_iters 1" if policy == "step" else ""
    run = stop_and_go(f"--model pix2pix --lr_policy {policy} {decay}", images)
    rates = [event["learning_rate"] for event in reports(run) if "losses" in event]
    assert rates[0] > rates[-1]


def test_a_run_stopped_while_it_measures_for_the_plateau_goes_on_exactly(
    train: Train, whole: Whole, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = "--model cycle_gan --lr_policy plateau --ema 0.9"
    measure = Validation.measure

    def signalled(self: Validation, *given: Any, **named: Any) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGTERM)
        return measure(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Validation, "measure", signalled)
        stopped = train(tmp_path, flags)
    assert stopped.code == 128 + signal.SIGTERM
    assert torch.load(tmp_path / "run" / "latest_state.pth", weights_only=True)["progress"]["metrics"] == []
    assert run_cli("train", resume_words(stopped)).code == 0
    assert_same_files(tmp_path / "run", whole(flags))


@pytest.mark.parametrize(("before", "after"), [(2, 0), (0, 2), (2, 2)])
def test_the_number_of_loading_processes_changes_nothing(
    before: int, after: int, train: Train, whole: Whole, stopping: Stopping, run_cli: RunCli, tmp_path: Path
) -> None:
    flags = in_full_use("cycle_gan")
    stopped = stopping(lambda: train(tmp_path, f"{flags} --num_threads {before}"), MID_EPOCH_3)
    assert run_cli("train", [*resume_words(stopped), "--num_threads", after]).code == 0
    assert_same_files(tmp_path / "run", whole(f"{flags} --num_threads {after}" if after else flags))


def test_the_same_command_starts_a_run_and_goes_on_with_it_exactly(
    train: Train, whole: Whole, stopping: Stopping, tmp_path: Path
) -> None:
    flags = in_full_use("cycle_gan")
    stopping(lambda: train(tmp_path, f"{flags} --resume auto"), MID_EPOCH_3)
    for over in (False, True):
        done = train(tmp_path, f"{flags} --resume auto")
        assert (done.code, "changed since" in done.stdout, "the run is finished" in done.stdout) == (0, False, over)
        assert_same_files(tmp_path / "run", whole(flags))
