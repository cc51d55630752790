"""Recipes of papers: every file is one, they set what is not typed, and they are shown in full."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from models.registry import MODELS
from options.cli import parse_train
from options.cli.preset import KEYS, preset_names, read_preset
from options.stored import flatten
from tests.conftest import RunCli
from tests.options.parsed import ROOT, for_test, for_train, refused

NAMES = preset_names()
UNPAIRED = ("horse2zebra", "apple2orange", "summer2winter_yosemite", "maps", "cityscapes_128")
PAINTINGS = ("monet2photo", "photo2monet", "cezanne2photo", "vangogh2photo", "ukiyoe2photo")


@pytest.fixture
def own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the program's own."""
    monkeypatch.setattr("options.cli.preset.FOLDER", tmp_path)
    return tmp_path


def write_preset(folder: Path, flags: dict[str, Any], **others: Any) -> None:
    content = {"about": "mine", "model": "pix2pix", "source": "nobody", "flags": flags} | others
    (folder / "mine.json").write_text(json.dumps(content))


class TestFiles:
    def test_the_papers_sets_are_there(self) -> None:
        expected = {*UNPAIRED, *PAINTINGS, "facades", "maps_pix2pix", "cityscapes_pix2pix", "edges2shoes"}
        expected |= {"edges2handbags", "night2day", "colorization", "horse2zebra_cut", "horse2zebra_fastcut"}
        assert set(NAMES) == expected

    @pytest.mark.parametrize("name", NAMES)
    def test_each_says_what_it_is_and_where_from(self, name: str) -> None:
        recipe = read_preset(name)
        assert all(isinstance(text, str) and text for text in (recipe.about, recipe.source))
        assert "arXiv" in recipe.source
        assert recipe.model in MODELS

    @pytest.mark.parametrize("name", NAMES)
    def test_each_parses_and_every_flag_of_it_holds(self, name: str) -> None:
        recipe, found = read_preset(name), flatten(for_train(f"--preset {name}"))
        assert (found["model"], found["preset"]) == (recipe.model, name)
        assert {flag: found[flag] for flag in recipe.flags} == dict(recipe.flags)

    @pytest.mark.parametrize("name", NAMES)
    def test_each_can_be_typed_flag_by_flag(self, name: str) -> None:
        recipe = read_preset(name)
        words = [
            word
            for flag, value in recipe.flags.items()
            for word in (f"--{flag}", str(value).lower() if isinstance(value, bool) else str(value))
        ]
        typed = flatten(parse_train([*ROOT, "--model", recipe.model, *words]))
        assert typed | {"preset": name} == flatten(for_train(f"--preset {name}"))


class TestRecipes:  # the numbers that the papers give, written down a second time
    @pytest.mark.parametrize("name", [*UNPAIRED, *PAINTINGS])
    def test_cyclegan_learns_200_epochs_the_second_half_of_them_slower_and_slower(self, name: str) -> None:
        opt = for_train(f"--preset {name}")
        assert (opt.optim.n_epochs, opt.optim.n_epochs_decay, opt.optim.lr, opt.data.batch_size) == (100, 100, 2e-4, 1)
        assert (opt.own.lambda_A, opt.own.lambda_B, opt.optim.pool_size) == (10, 10, 50)

    @pytest.mark.parametrize(("names", "weight"), [(UNPAIRED, 0), (PAINTINGS, 0.5)])
    def test_paintings_alone_have_an_identity_loss(self, names: tuple[str, ...], weight: float) -> None:
        assert {for_train(f"--preset {name}").own.lambda_identity for name in names} == {weight}

    def test_128_pixels_take_six_blocks(self) -> None:
        small, large = for_train("--preset cityscapes_128"), for_train("--preset maps")
        assert (small.net.netG, small.data.load_size, small.data.crop_size) == ("resnet_6blocks", 143, 128)
        assert (large.net.netG, large.data.load_size, large.data.crop_size) == ("resnet_9blocks", 286, 256)

    @pytest.mark.parametrize(
        ("name", "epochs", "batch", "load_size", "flips"),
        [
            ("facades", 200, 1, 286, True),
            ("maps_pix2pix", 200, 1, 286, True),
            ("cityscapes_pix2pix", 200, 1, 286, True),
            ("edges2shoes", 15, 4, 256, False),
            ("edges2handbags", 15, 4, 256, True),
            ("night2day", 17, 4, 286, True),
            ("colorization", 6, 4, 286, True),
        ],
    )
    def test_pix2pix_by_data_set(self, name: str, epochs: int, batch: int, load_size: int, flips: bool) -> None:
        opt = for_train(f"--preset {name}")
        assert (opt.optim.last_epoch, opt.optim.n_epochs_decay) == (epochs, 0)
        assert (opt.data.batch_size, opt.data.load_size, not opt.data.no_flip) == (batch, load_size, flips)
        assert (opt.net.netG, opt.net.norm, opt.net.no_dropout, opt.own.lambda_L1) == ("unet_256", "batch", False, 100)

    def test_cut_learns_400_epochs_and_fastcut_200(self) -> None:
        slow, fast = for_train("--preset horse2zebra_cut"), for_train("--preset horse2zebra_fastcut")
        assert (slow.own.CUT_mode.lower(), slow.optim.last_epoch) == ("cut", 400)
        assert (fast.own.CUT_mode.lower(), fast.optim.last_epoch) == ("fastcut", 200)


class TestPrecedence:
    def test_it_overrides_the_model_and_the_data_set_it_names(self, own_presets: Path) -> None:
        flags = {"norm": "instance", "lambda_L1": 7.0, "dataset_mode": "template", "max_dataset_size": 3}
        write_preset(own_presets, flags)
        opt = for_train("--preset mine")
        assert (opt.run.model, opt.net.norm, opt.own.lambda_L1) == ("pix2pix", "instance", 7)
        assert (opt.data.dataset_mode, opt.data.max_dataset_size) == ("template", 3)
        assert opt.net.netG == "unet_256"  # of the model still

    def test_the_command_line_overrides_it_and_the_models_defaults_stay_on_record(self) -> None:
        opt = for_train("--preset cityscapes_128 --n_epochs 3 --netG resnet_9blocks")
        assert (opt.optim.n_epochs, opt.net.netG, opt.data.crop_size) == (3, "resnet_9blocks", 128)
        assert opt.defaults["crop_size"] == 256

    def test_typed_networks_to_start_from_override_it(self) -> None:
        opt = parse_train([*ROOT, "--preset", "facades", "--init_from", "old"], source=lambda run: {"netG": "unet_128"})
        assert (opt.net.netG, opt.optim.n_epochs) == ("unet_128", 200)

    def test_what_the_run_has_stored_overrides_it(self) -> None:
        run = flatten(for_train("--preset cityscapes_128 --n_epochs 3"))
        opt = for_train("--preset cityscapes_128 --resume auto", run)
        assert (opt.start.continue_train, opt.optim.n_epochs, opt.start.preset) == (True, 3, "cityscapes_128")

    def test_a_resume_needs_no_preset(self) -> None:
        run = flatten(for_train("--preset facades"))
        opt = for_train("--continue_train", run)
        assert (opt.start.preset, opt.run.model, opt.data.direction) == ("facades", "pix2pix", "BtoA")

    def test_a_test_takes_the_networks_and_leaves_the_name(self) -> None:
        opt = for_test("", flatten(for_train("--preset facades --ngf 8")))
        assert (opt.run.model, opt.net.netG, opt.net.ngf, opt.data.direction) == ("pix2pix", "unet_256", 8, "BtoA")
        assert "preset" not in flatten(opt)


class TestRefused:
    @pytest.mark.parametrize(("before", "made"), [("--preset maps", "--preset maps"), ("", "no preset")])
    def test_another_one_for_a_run_that_goes_on(
        self, before: str, made: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = flatten(for_train(before))
        line = refused("--preset horse2zebra --continue_train", capsys, run)
        assert f"--preset horse2zebra has no effect on a run that goes on; this one was started with {made};" in line

    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            ({"ngff": 3}, "--preset mine sets --ngff, which is no flag of --model pix2pix"),
            ({"lambda_A": 3.0}, "--preset mine sets --lambda_A, which is no flag of --model pix2pix"),
            ({"num_test": 3}, "--preset mine sets --num_test, which is no flag of"),
            ({"ngf": "wide"}, "--preset mine has --ngf 'wide', which is not possible; correct the file"),
            ({"norm": "bach"}, "--preset mine has --norm 'bach', which is not possible"),
            ({"ngf": 0}, "--ngf 0 is too small"),
        ],
    )
    def test_a_file_with_a_mistake(
        self, flags: dict[str, Any], words: str, own_presets: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_preset(own_presets, flags)
        assert words in refused("--preset mine", capsys)

    def test_a_file_that_is_no_recipe(self, own_presets: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_preset(own_presets, {}, author="me")
        assert f"it needs exactly {', '.join(sorted(KEYS))}; correct the file" in refused("--preset mine", capsys)
        (own_presets / "mine.json").write_text("{")
        assert "mine.json is no JSON" in refused("--preset mine", capsys)


class TestShown:
    def test_the_list_has_every_name_and_ends_the_program(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as stop:
            parse_train(["--preset", "list"])
        assert stop.value.code == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        assert [line.split()[0] for line in lines] == NAMES
        assert lines[NAMES.index("facades")].split()[1:4] == ["pix2pix", "label", "maps"]

    def test_it_is_shown_in_full_with_what_is_typed_instead(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            for_train("--preset cityscapes_128 --n_epochs 5 --batch_size 1")
        head, *lines = caplog.messages[-1].splitlines()
        recipe = read_preset("cityscapes_128")
        assert head == f"--preset cityscapes_128: {recipe.about} ({recipe.source})"
        assert [line.split()[0] for line in lines] == ["--model", *(f"--{flag}" for flag in recipe.flags)]
        rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
        assert rows["--netG"] == "resnet_6blocks"
        assert rows["--n_epochs"] == "5 typed; the preset has 100"
        assert rows["--batch_size"] == "1 typed, as in the preset"
        assert rows["--no_dropout"] == "true"

    def test_a_resume_does_not_show_it_again(self, caplog: pytest.LogCaptureFixture) -> None:
        run = flatten(for_train("--preset facades"))
        with caplog.at_level(logging.INFO):
            caplog.clear()
            for_train("--preset facades --resume auto", run)
        assert caplog.messages == []


def test_a_training_starts_from_it(run_cli: RunCli, aligned_root: Path, tiny: list[str]) -> None:
    done = run_cli(
        "train", ["--preset", "facades", "--dataroot", aligned_root, "--name", "run", *tiny, "--netG", "unet_32"]
    )
    assert done.code == 0, done.stderr
    assert "--preset facades: label maps to facades" in done.stdout
    assert "typed; the preset has unet_256" in done.stdout
