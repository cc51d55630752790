"""Which sinks the flags ask for, and what a resumed run goes on with."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from options.errors import UserError
from options.schema import Options
from tests.small import small_options
from tests.util.sinks.events import images, samples, scalars
from util.dashboard.address import Address
from util.dashboard.sink import VisdomSink
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout
from util.progress import Progress
from util.sinks import build
from util.sinks.base import Sink
from util.sinks.build import build_sinks, refuse_unusable
from util.sinks.events import Scores, read_events
from util.sinks.html import HtmlSink
from util.sinks.wandb import WandbSink

ALWAYS = ["JsonLinesSink", "ConsoleSink", "LossLogSink", "HealthSink"]


class FakeDashboard(VisdomSink):
    """Keeps what it is built with."""

    def __init__(self, info: RunInfo, address: Address, **options: Any) -> None:
        self.info, self.address, self.options = info, address, options


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fakes = [FakeDashboard if kind is VisdomSink else kind for kind in build.SINKS]
    monkeypatch.setattr(build, "SINKS", fakes)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints" / "run").mkdir(parents=True)


@pytest.fixture
def tensorboard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Folder and first step of the writers that were made with a package that is not there."""
    writers: list[tuple[str, int]] = []

    def make(folder: str, *, purge_step: int) -> None:
        writers.append((folder, purge_step))

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=make))
    return writers


def options(flags: str = "") -> Options:
    return small_options("cycle_gan", f"--name run --n_epochs 3 --n_epochs_decay 4 {flags}")


def built(flags: str = "", progress: Progress | None = None) -> list[Sink]:
    return build_sinks(options(flags), progress or Progress())


def dashboard(flags: str = "", progress: Progress | None = None) -> FakeDashboard:
    """Return what the dashboard, which comes last, is built with."""
    sink = built(flags, progress)[-1]
    assert isinstance(sink, FakeDashboard)
    return sink


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
    sink = dashboard(f"{flags} --num_threads 3 --gan_mode vanilla --display_stop_server")
    assert sink.info == RunInfo("run", Path("checkpoints", "run"), "cycle_gan", 7, "vanilla")
    assert str(sink.address) == "https://h:99/x"
    assert sink.options["env"] == "a-b"
    assert sink.options["layout"] == Layout(7, "run: ", 2)
    assert sink.options["stop_server"] is True
    assert sink.options["sheets"].items == []


def test_an_environment_of_its_own_needs_no_prefix_and_no_samples_no_sheets() -> None:
    given = dashboard("--display_samples 0").options
    assert (given["env"], given["layout"].prefix, given["stop_server"], given["sheets"]) == ("run", "", False, None)


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


def test_a_resumed_run_goes_on_from_its_checkpoint_everywhere() -> None:
    write_run(8)
    html = Path("checkpoints/run/web/index.html")
    assert "epoch002_real_A.png" in html.read_text()
    sinks = built(progress=Progress(epoch=2, images_seen=400))
    assert isinstance(shown := sinks[-1], FakeDashboard)
    given = shown.options
    record = list(read_events(Path("checkpoints/run/metrics.jsonl")))
    assert len(record) == 5, "the second epoch will be done again"
    assert (given["history"].reports, given["history"].last.images_seen) == (4, 400)
    assert given["history"].losses["G_A"].x == [0.25, 0.5, 0.75, 1.0]
    assert given["history"].scores["validation"].y == [1.0]
    assert len(given["sheets"].items) == 1
    assert (given["images"].epoch, given["images"].images_seen) == (1, 400)
    assert list(given["images"].images) == ["real_A", "fake_B"]
    (page,) = [sink for sink in sinks if isinstance(sink, HtmlSink)]
    page.scalars(scalars(5))
    page.close()
    assert ("epoch001_real_A.png" in html.read_text(), "epoch002_real_A.png" in html.read_text()) == (True, False)


def test_no_sink_shares_the_history_of_another() -> None:
    write_run(4)
    sinks = built(progress=Progress(epoch=2, images_seen=400))
    assert isinstance(shown := sinks[-1], FakeDashboard)
    given = shown.options
    given["history"].add(scalars(5))
    given["health"].add(scalars(5, G_A=float("nan")))
    (page,) = [sink for sink in sinks if isinstance(sink, HtmlSink)]
    assert page._history.reports == 4
    assert given["history"].reports == 5
    sinks[names(sinks).index("HealthSink")].scalars(scalars(50))  # it has not seen the fifth
    assert [signal.kind for signal in given["health"].signals()] == ["not finite"]


def test_a_new_run_shows_nothing_of_an_older_one_of_its_name() -> None:
    write_run(8)
    given = dashboard().options
    assert given["history"].reports == 0
    assert given["sheets"].items == []
    assert given["images"] is None


def test_tensorboard_forgets_what_a_resumed_run_does_again(tensorboard: list[tuple[str, int]]) -> None:
    assert names(built("--use_tensorboard", Progress(epoch=2, images_seen=400)))[0] == "TensorBoardSink"
    assert tensorboard == [(str(Path("checkpoints/run/tensorboard")), 401)]


def test_a_resumed_run_is_one_run_in_weights_and_biases(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(WandbSink, "__init__", lambda self, **settings: asked.append(settings))
    words = "--use_wandb --wandb_project_name images --lr 0.01"
    assert names(built(words))[0] == "WandbSink"
    built(words, Progress(epoch=2, images_seen=400))
    for settings, resume_at in zip(asked, (0, 400), strict=True):
        assert (settings["project"], settings["name"], settings["options"]["lr"]) == ("images", "run", 0.01)
        assert settings["resume_at"] == resume_at
        assert settings["id_file"].parent == Path("checkpoints/run")


@pytest.mark.parametrize("package", ["tensorboard", "wandb"])
def test_a_package_that_is_missing_is_said_before_anything_is_touched(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(UserError, match=f"--use_{package} needs the {package} package; type: pip install {package}"):
        refuse_unusable(options(f"--use_{package}"))
    refuse_unusable(options())
