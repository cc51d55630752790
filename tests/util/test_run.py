"""How a program ends when something outside it is wrong, what it writes down, and what it says."""

import errno
import json
import re
from pathlib import Path

import pytest
import torch

from options.errors import UserError
from tests.conftest import RunCli
from util.distributed import World
from util.run import entry_point, record_command

pytestmark = pytest.mark.usefixtures("run_cli")  # restores the log

COMMANDS = Path("checkpoints", "run", "commands.txt")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UserError("--x is wrong; use --y"), 2, "error: --x is wrong; use --y"),
        (OSError(errno.ENOSPC, "No room left", "a.png"), 2, "error: No room left (a.png); make room"),
        (PermissionError(errno.EACCES, "Not allowed", "b"), 2, "error: Not allowed (b); choose another place"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), 2, "error: Connection reset"),
        (
            torch.cuda.OutOfMemoryError("9 GiB"),
            2,
            "error: not enough memory, lower --batch_size, --crop_size or --ngf (9 GiB)",
        ),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_it_ends_in_one_sentence(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop, entry_point("train.py"):
        raise error
    assert stop.value.code == code
    assert capsys.readouterr().err.strip() == f"train.py: {sentence}"


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), entry_point("train.py"):
        _ = 1 / 0


@pytest.fixture
def words(unaligned_root: Path, tiny: list[str]) -> list[object]:
    """Return the flags of a run named ``run``, of three reports."""
    return ["--name", "run", "--dataroot", unaligned_root, "--netG", "resnet_1blocks", *tiny]


def test_each_start_is_a_line_that_can_be_typed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["--name", "a b", "--lr", "0.1"], ["--name", "it's", "--continue_train"]):
        monkeypatch.setattr("sys.argv", ["/home/me/train.py", *words])
        record_command(tmp_path, World(0, 1, torch.device("cpu")))
    lines = (tmp_path / "commands.txt").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d python ", line) for line in lines)
    assert [line.split(" python ")[1] for line in lines] == [
        "train.py --name 'a b' --lr 0.1",
        """train.py --name 'it'"'"'s' --continue_train""",
    ]


def test_every_training_of_a_run_is_recorded_and_no_test(run_cli: RunCli, words: list[object]) -> None:
    assert run_cli("train", words).code == 0
    assert len(COMMANDS.read_text().splitlines()) == 1
    assert run_cli("train", [*words, "--continue_train", "--n_epochs", "2"]).code == 0
    assert run_cli("test", ["--name", "run", "--dataroot", words[3]]).code == 0
    assert run_cli("train", words).code == 2  # there is a run of this name
    assert len(COMMANDS.read_text().splitlines()) == 2
    assert run_cli("train", [*words, "--overwrite"]).code == 0
    assert len(COMMANDS.read_text().splitlines()) == 1, "the record of the run that was deleted went with it"


@pytest.mark.parametrize("quiet", [False, True])
def test_a_quiet_training_says_nothing_and_records_everything(
    quiet: bool, run_cli: RunCli, words: list[object]
) -> None:
    done = run_cli("train", [*words, *["--quiet"] * quiet])
    assert done.code == 0
    assert done.stdout.count("(epoch: 1, iters:") == (0 if quiet else 3)
    assert (done.stdout == "", done.stderr == "") == (quiet, True)
    reports = [json.loads(line) for line in COMMANDS.with_name("metrics.jsonl").read_text().splitlines()]
    assert [report["images_seen"] for report in reports if "losses" in report] == [1, 2, 3]
    assert COMMANDS.with_name("loss_log.txt").read_text().count("(epoch: 1, iters:") == 3
    again = run_cli("train", [*words, "--continue_train", "--n_epochs", "2"])
    assert again.stdout.count("(epoch: 2, iters:") == 3, "to be quiet is not for ever"


def test_a_quiet_training_still_warns_and_refuses(run_cli: RunCli, words: list[object], unaligned_root: Path) -> None:
    (unaligned_root / "valA" / "a0.png").write_bytes(b"no image")
    done = run_cli("train", [*words, "--quiet"])
    assert done.code == 0
    (warning,) = done.stdout.splitlines()
    assert warning.startswith("left out of the samples: cannot read the image")
    refused = run_cli("train", [*words, "--quiet"])
    assert refused.code == 2
    assert "holds a run already" in refused.stderr
