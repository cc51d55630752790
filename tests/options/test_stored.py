"""What a run stores of its options: layout, round trip, damage, and what a later command takes over."""

import math
from pathlib import Path
from typing import Any

import pytest

from options.cli import parse_test, parse_train
from options.errors import UserError
from options.stored import as_text, flatten, read_options, write_options
from tests.options.parsed import ROOT, RUN, NothingStored, for_test, for_train, last_line, refused, unread


class TestStoredOptions:
    def test_a_training_from_scratch_does_not_ask_for_them(self) -> None:
        parse_train(ROOT, stored=unread)

    def test_they_are_asked_for_by_the_name_of_the_run(self) -> None:
        words = "--name horses --checkpoints_dir runs --epoch 20 --load_iter 5 --model_suffix _B"
        asked = NothingStored()
        parse_test([*ROOT, *words.split()], stored=asked)
        expected = {"name": "horses", "checkpoints_dir": "runs", "epoch": "20", "load_iter": 5, "model_suffix": "_B"}
        assert {key: asked.run[key] for key in expected} == expected

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            ("--suffix {netG}_{ngf} --ngf 8", "a_resnet_9blocks_8"),
            ("--suffix {netG} --model pix2pix", "a_unet_256"),
            ("--suffix {lambda_A}", "a_10.0"),
            ("--suffix b", "a_b"),
            ("", "a"),
        ],
    )
    def test_the_name_they_are_asked_for_is_the_name_of_the_run(self, words: str, name: str) -> None:
        asked = NothingStored()
        opt = parse_train([*ROOT, "--continue_train", "--name", "a", *words.split()], stored=asked)
        assert (asked.run["name"], opt.run.name) == (name, name)

    def test_a_test_takes_the_model_and_its_networks_from_the_run(self) -> None:
        opt = for_test("", {**RUN, "direction": "BtoA", "no_dropout": False, "input_nc": 1, "output_nc": 1})
        assert (opt.run.model, opt.data.dataset_mode, opt.data.direction) == ("cycle_gan", "unaligned", "BtoA")
        assert (opt.net.netG, opt.net.ngf, opt.net.no_dropout, opt.net.input_nc) == ("resnet_6blocks", 32, False, 1)

    def test_model_test_takes_only_networks_and_geometry(self) -> None:
        opt = for_test("--model test", {**RUN, "no_dropout": True, "crop_size": 64, "lambda_A": 3.0})
        assert (opt.run.model, opt.data.dataset_mode) == ("test", "single")
        assert (opt.net.netG, opt.net.ngf, opt.net.no_dropout) == ("resnet_6blocks", 32, True)
        assert (opt.data.crop_size, opt.data.load_size) == (64, 64)

    def test_a_test_does_not_take_how_the_training_was_fed(self) -> None:
        training: dict[str, Any] = {
            "phase": "train",
            "batch_size": 16,
            "num_threads": 8,
            "serial_batches": False,
            "no_flip": False,
            "max_dataset_size": 5,
            "load_size": 286,
            "seed": 7,
            "gpu_ids": "3",
            "name": "other",
            "epoch": "5",
        }
        opt = for_test("--name mine", RUN | training)
        data = opt.data
        assert (data.phase, data.batch_size, data.num_threads, data.load_size) == ("test", 1, 0, 256)
        assert (data.serial_batches, data.no_flip, data.max_dataset_size) == (True, True, math.inf)
        assert (opt.run.seed, opt.run.gpu_ids, opt.run.name, opt.run.epoch) == (0, "", "mine", "latest")

    @pytest.mark.parametrize(
        ("trained", "tested", "load_size"),
        [
            ("resize_and_crop", "resize_and_crop", 64),
            ("scale_width", "scale_width", 90),
            ("scale_width_and_crop", "scale_width", 90),
            ("crop", "none", 64),
            ("none", "none", 64),
        ],
    )
    def test_a_test_translates_whole_images(self, trained: str, tested: str, load_size: int) -> None:
        opt = for_test("", {**RUN, "preprocess": trained, "load_size": 90, "crop_size": 64})
        assert (opt.data.preprocess, opt.data.load_size, opt.data.crop_size) == (tested, load_size, 64)

    def test_a_resume_goes_on_with_all_settings_but_those_that_name_the_run(self) -> None:
        before = for_train("--name a --model pix2pix --batch_size 4 --lr 0.001 --lambda_L1 10 --epoch_count 1")
        after = for_train("--continue_train --name b", flatten(before))
        changed = {k for k, v in flatten(after).items() if v != flatten(before)[k]}
        assert changed == {"name", "continue_train"}

    @pytest.mark.parametrize("flag", ["netG", "lr_policy", "batch_size", "max_dataset_size", "lr", "no_dropout"])
    @pytest.mark.parametrize("value", [["what"], "what"])
    def test_a_stored_value_of_the_wrong_kind_is_refused_by_name(
        self, flag: str, value: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = refused("--continue_train", capsys, {"model": "cycle_gan", flag: value})
        assert flag in line or "unknown generator 'what'" in line

    def test_a_colorization_is_not_tested_with_another_model(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            for_test("--model test", flatten(for_train("--model colorization")))
        assert "a colorization run is tested with --model colorization; pass that" in last_line(capsys)

    def test_stored_options_of_another_version_are_left_alone(self) -> None:
        assert for_test("", {**RUN, "a_flag_of_tomorrow": 1}).net.ngf == 32


class TestOptionFiles:
    def test_the_text_is_laid_out_as_the_official_one_and_marks_what_differs_from_the_models_defaults(self) -> None:
        opt = for_train("--model pix2pix --lr 0.5")
        first, *lines, last = as_text(flatten(opt), opt.defaults).split("\n")
        assert first == "----------------- Options ---------------"
        assert last == "----------------- End -------------------"
        assert lines == sorted(lines, key=lambda line: line.split(":")[0].strip())
        assert "                       lr: 0.5                           \t[default: 0.0002]" in lines
        assert "                     norm: batch                         " in lines  # pix2pix's own default
        assert next(line for line in lines if "dataroot:" in line).endswith("\t[default: ]")

    @pytest.mark.parametrize("words", ["", "--max_dataset_size 7 --suffix {ngf}", "--model colorization --lr 1e-7"])
    def test_what_is_written_is_read_back(self, words: str, tmp_path: Path) -> None:
        before = for_train(f"{words} --name a")
        write_options(before, tmp_path)
        assert "Infinity" not in (tmp_path / "train_opt.json").read_text()  # which is no JSON
        after = for_train("--continue_train --name a", read_options(tmp_path))
        names = set(flatten(before)) - {"continue_train", "name", "suffix"}
        assert {n: flatten(after)[n] for n in names} == {n: flatten(before)[n] for n in names}
        assert type(after.data.max_dataset_size) is type(before.data.max_dataset_size)

    def test_a_test_writes_its_text_by_phase_and_leaves_the_runs_options_alone(self, tmp_path: Path) -> None:
        write_options(for_test("--phase val"), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["val_opt.txt"]

    def test_a_text_that_cannot_be_written_does_not_end_a_test(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "test_opt.txt.tmp").mkdir()  # where it is written first
        assert "dataroot: x" in write_options(for_test(), tmp_path)
        assert "the options of this test are not recorded" in caplog.text

    def test_a_folder_without_stored_options_has_none_and_a_damaged_file_is_a_sentence(self, tmp_path: Path) -> None:
        assert read_options(tmp_path) == {}
        (tmp_path / "train_opt.json").write_text("{")
        with pytest.raises(UserError, match=r"cannot read the run's options in .*train_opt.json .*repair or remove"):
            read_options(tmp_path)
