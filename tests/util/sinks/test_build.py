"""Which sinks the flags ask for, and what a resumed run goes on with."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from options.errors import UserError
from options.schema import Options
from tests.small import small_options
from tests.util.sinks.events import images, samples, scalars
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout
from util.progress import Progress
from util.sinks import Sink, build
from util.sinks.build import build_sinks, refuse_unusable
from util.sinks.events import Scores
from util.sinks.html import HtmlSink
from util.sinks.jsonl import read_events

ALWAYS = ["JsonLinesSink", "ConsoleSink", "LossLogSink", "HealthSink"]


class FakeDashboard(Sink):
    """Keeps what it is built with."""

    def __init__(self, *settings: Any, **options: Any) -> None:
        self.info, self.address = settings
        self.options = options


class FakeWriter:
    """TensorBoard's, which keeps where it writes."""

    def __init__(self, folder: str, *, purge_step: int) -> None:
        self.folder, self.purge_step = folder, purge_step

    def close(self) -> None:
        """Nothing was written."""


@pytest.fixture(autouse=True)
def _fakes(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "VisdomSink", FakeDashboard)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints" / "run").mkdir(parents=True)


@pytest.fixture
def tensorboard(monkeypatch) -> Iterator[list[FakeWriter]]:
    """The writers that were made with a package that is not there."""
    writers = []

    def make(folder: str, **options: int) -> FakeWriter:
        writers.append(FakeWriter(folder, **options))
        return writers[-1]

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = make
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return writers


def options(flags: str = "") -> Options:
    return small_options("cycle_gan", f"--name run --n_epochs 3 --n_epochs_decay 4 {flags}")


def built(flags: str = "", progress: Progress | None = None) -> list[Sink]:
    return build_sinks(options(flags), progress or Progress())


def names(sinks: list[Sink]) -> list[str]:
    return [type(sink).__name__ for sink in sinks]


@pytest.mark.parametrize(
    ("flags", "more"),
    [
        ("", ["HtmlSink", "FakeDashboard"]),
        ("--no_html", ["FakeDashboard"]),
        ("--display_id 0", ["HtmlSink"]),
        ("--display_id -1", ["HtmlSink"]),
        ("--no_html --display_id 0", []),
    ],
)
def test_page_and_dashboard_can_be_switched_off(flags: str, more: list[str]) -> None:
    assert names(built(flags)) == [*ALWAYS, *more]


def test_the_dashboard_gets_what_the_flags_say() -> None:
    flags = "--display_id 7 --display_server https://h/x --display_port 99 --display_env a/b --display_ncols 2"
    dashboard = built(f"{flags} --num_threads 3 --gan_mode vanilla --display_stop_server")[-1]
    folder = Path("checkpoints", "run")
    assert dashboard.info == RunInfo("run", folder, "cycle_gan", 7, "vanilla")
    assert str(dashboard.address) == "https://h:99/x"
    assert dashboard.options["env"] == "a-b"
    assert dashboard.options["layout"] == Layout(7, "run: ", 2)
    assert dashboard.options["stop_server"] is True
    assert dashboard.options["sheets"].items == []


def test_an_environment_of_its_own_needs_no_prefix() -> None:
    given = built()[-1].options
    assert (given["env"], given["layout"].prefix, given["stop_server"]) == ("run", "", False)


def test_without_samples_there_are_no_sheets() -> None:
    assert built("--display_samples 0")[-1].options["sheets"] is None


def write_run(reports: int) -> None:
    """Train for so many reports, of 100 images each, four in an epoch."""
    sinks = [sink for sink in built() if not isinstance(sink, FakeDashboard)]
    for number in range(1, reports + 1):
        for sink in sinks:
            sink.scalars(scalars(number))
            if number % 4 == 0:
                sink.scores(Scores(number // 4, number / 4, 100 * number, {"validation": 1.0}))
                sink.images(images(number // 4, 100 * number))
                sink.samples(samples(number // 4, 100 * number))
    for sink in sinks:
        sink.close()


def test_a_resumed_run_goes_on_from_its_checkpoint_everywhere(tmp_path: Path) -> None:
    write_run(8)
    sinks = built(progress=Progress(epoch=2, images_seen=400))
    given = sinks[-1].options
    record = list(read_events(Path("checkpoints/run/metrics.jsonl")))
    assert len(record) == 5, "the second epoch will be done again"
    assert (given["history"].reports, given["history"].last.images_seen) == (4, 400)
    assert given["history"].losses["G_A"].x == [0.25, 0.5, 0.75, 1.0]
    assert given["history"].scores["validation"].y == [1.0]
    assert len(given["sheets"].items) == 1
    assert (given["images"].epoch, given["images"].images_seen) == (1, 400)
    assert list(given["images"].images) == ["real_A", "fake_B"]


def test_no_sink_shares_the_history_of_another() -> None:
    write_run(4)
    sinks = built(progress=Progress(epoch=2, images_seen=400))
    given = sinks[-1].options
    given["history"].add(scalars(5))
    given["health"].add(scalars(5, G_A=float("nan")))
    (page,) = [sink for sink in sinks if isinstance(sink, HtmlSink)]
    assert page._history.reports == 4
    assert given["history"].reports == 5
    sinks[names(sinks).index("HealthSink")].scalars(scalars(50))  # it has not seen the fifth
    assert [signal.kind for signal in given["health"].signals()] == ["not finite"]


def test_a_new_run_shows_nothing_of_an_older_one_of_its_name() -> None:
    write_run(8)
    given = built()[-1].options
    assert given["history"].reports == 0
    assert given["sheets"].items == []
    assert given["images"] is None


def test_tensorboard_is_asked_for(tensorboard: list[FakeWriter]) -> None:
    assert names(built("--use_tensorboard"))[0] == "TensorBoardSink"
    assert tensorboard[0].folder == str(Path("checkpoints/run/tensorboard"))


def test_tensorboard_forgets_what_a_resumed_run_does_again(tensorboard: list[FakeWriter]) -> None:
    write_run(8)
    built("--use_tensorboard", Progress(epoch=2, images_seen=400))
    assert tensorboard[0].purge_step == 401


def test_a_resumed_run_is_one_run_in_weights_and_biases(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(build, "WandbSink", lambda **settings: asked.append(settings) or Sink())
    words = "--use_wandb --wandb_project_name images --lr 0.01"
    assert names(built(words))[0] == "Sink"
    built(words, Progress(epoch=2, images_seen=400))
    for settings, resume_at in zip(asked, (0, 400), strict=True):
        assert (settings["project"], settings["name"], settings["options"]["lr"]) == ("images", "run", 0.01)
        assert settings["resume_at"] == resume_at
        assert settings["id_file"].parent == Path("checkpoints/run")


def test_the_page_of_a_resumed_run_does_not_list_what_will_be_done_again() -> None:
    write_run(8)
    text = Path("checkpoints/run/web/index.html")
    assert "epoch002_real_A.png" in text.read_text()
    (page,) = [sink for sink in built(progress=Progress(epoch=2, images_seen=400)) if isinstance(sink, HtmlSink)]
    page.scalars(scalars(5))
    page.close()
    assert "epoch001_real_A.png" in text.read_text()
    assert "epoch002_real_A.png" not in text.read_text()


@pytest.mark.parametrize("package", ["tensorboard", "wandb"])
def test_a_package_that_is_missing_is_said_before_anything_is_touched(package: str, monkeypatch) -> None:
    find = build.importlib.util.find_spec
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None if name == package else find(name))
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(UserError, match=f"--use_{package} needs the {package} package; type: pip install {package}"):
        refuse_unusable(options(f"--use_{package}"))
    refuse_unusable(options())


def test_an_address_that_is_none_matters_only_to_a_dashboard() -> None:
    with pytest.raises(UserError, match="--display_server ftp://x is no address"):
        refuse_unusable(options("--display_server ftp://x"))
    refuse_unusable(options("--display_server ftp://x --display_id 0"))
