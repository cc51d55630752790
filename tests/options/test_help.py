"""``--help`` is short and says where the rest is; ``--help-all`` has every flag, with its reason and its default."""

import re

import pytest

from data.registry import DATASETS
from metrics.base import METRICS
from models.registry import MODELS
from options.ablate import AblateOptions
from options.app import AppOptions
from options.data import DataOptions
from options.evaluate import EvaluateOptions
from options.evaluation import EvaluationSettings
from options.export import ExportOptions
from options.flag import flags_of
from options.schema import TEST_TABLES, TRAIN_TABLES
from options.translate import TranslateOptions
from tests.conftest import RunCli

TABLES: dict[str, tuple[type, ...]] = {
    "train": tuple(TRAIN_TABLES.values()),
    "test": tuple(TEST_TABLES.values()),
    "translate": (TranslateOptions,),
    "evaluate": (EvaluateOptions, DataOptions, EvaluationSettings),
    "export": (ExportOptions,),
    "app": (AppOptions,),
    "ablate": (AblateOptions,),
}
MOST_LINES = 60
OWN = [("train", "--model", name, MODELS[name].Flags) for name in MODELS if MODELS[name].needs_target]
OWN += [("test", "--model", "test", MODELS["test"].Flags)]
OWN += [("train", "--dataset_mode", name, DATASETS[name].Flags) for name in DATASETS]


@pytest.fixture
def shown(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """Run a command as in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return run_cli


def entries(text: str) -> dict[str, str]:
    """Return what a help says of each flag, on one line."""
    parts = re.split(r"\n  (?:-\w(?: \w+)?, )?--(\w+)", text)
    return {name: " ".join(said.split()) for name, said in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("program", TABLES)
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_short_one_fits_on_a_screen_and_names_the_other(program: str, word: str, shown: RunCli) -> None:
    code, text, err = shown(program, [word])
    assert (code, err) == (0, "")
    assert text.startswith(f"usage: python {program}.py ")
    assert len(text.splitlines()) <= MOST_LINES
    assert text.rstrip().endswith(f"python {program}.py --help-all")
    essential = {name for table in TABLES[program] for name, flag in flags_of(table).items() if flag.essential}
    assert essential <= set(entries(text))


@pytest.mark.parametrize("program", TABLES)
def test_the_whole_one_has_every_flag_with_a_reason_and_its_default_as_typed(program: str, shown: RunCli) -> None:
    code, text, _ = shown(program, ["--help-all"])
    assert code == 0
    found = entries(text)
    for flag in (flag for table in TABLES[program] for flag in flags_of(table).values()):
        what, default, why = re.split(r" \(default: (.+?)\)\.? ?", found[flag.name], maxsplit=1)
        assert len(what.split()) > 2, flag.name
        assert why, flag.name
        assert not re.search(r"''|None|True|False", default), flag.name
        assert not re.match(r"(X|VALUE|NUMBER)\b", what), f"--{flag.name} needs a metavar that tells"


@pytest.mark.parametrize(("program", "flag", "name", "table"), OWN)
def test_so_it_is_with_any_model_and_data_set_and_their_flags(
    program: str, flag: str, name: str, table: type, shown: RunCli
) -> None:
    assert len(shown(program, [flag, name, "--help"]).stdout.splitlines()) <= MOST_LINES
    found = entries(shown(program, [flag, name, "--help-all"]).stdout)
    assert all(re.search(r"\(default: .+\)\. .+", found[own]) for own in flags_of(table))


@pytest.mark.parametrize("program", TABLES)
def test_each_group_has_a_sentence(program: str, shown: RunCli) -> None:
    text = shown(program, ["--help-all"]).stdout
    groups = re.findall(r"\n\n([\w ]+):\n(?=  [A-Z]|  -)(.+)", text)
    told = [name for name, first in groups if not first.startswith("  -")]
    assert len(told) >= len(TABLES[program])


@pytest.mark.parametrize(
    ("program", "words", "flag", "default"),
    [
        ("train", "", "norm", "instance"),
        ("train", "--model pix2pix", "norm", "batch"),
        ("train", "--preset edges2shoes", "n_epochs", "15"),
        ("train", "", "gpu_ids", "the first one"),
        ("train", "", "lr", "0.0002"),
        ("train", "", "no_dropout", "true"),
        ("train", "", "max_dataset_size", "inf"),
        ("test", "", "phase", "test"),
        ("test", "--model pix2pix", "netG", "unet_256"),
        ("evaluate", "", "phase", "test"),
    ],
)
def test_a_default_is_what_holds_when_nothing_is_typed(
    program: str, words: str, flag: str, default: str, shown: RunCli
) -> None:
    assert f"(default: {default})" in entries(shown(program, [*words.split(), "--help-all"]).stdout)[flag]


def test_it_needs_no_run_and_no_images(shown: RunCli) -> None:
    for words in (["--name", "nowhere"], ["--continue_train"]):
        assert shown("train", [*words, "--help"]).stdout.startswith("usage")
    assert shown("test", ["--name", "nowhere", "--help-all"]).code == 0


def test_the_help_of_evaluate_names_every_metric(shown: RunCli) -> None:
    assert set(METRICS) <= set(re.findall(r"\w+", shown("evaluate", ["--help"]).stdout))
