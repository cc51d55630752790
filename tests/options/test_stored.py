"""What a run stores of its options: layout, round trip, damage."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from options.cli import parse_test, parse_train
from options.schema import Options
from options.stored import as_text, flatten, read_options, write_options

ROOT = ("--dataroot", "x")
RUN = {"model": "cycle_gan", "dataset_mode": "unaligned", "netG": "resnet_6blocks", "ngf": 32, "norm": "instance"}


def for_train(words: str = "", stored: Mapping[str, Any] | None = None) -> Options:
    return parse_train([*ROOT, *words.split()], stored=lambda run: stored or {})


def for_test(words: str = "", stored: Mapping[str, Any] | None = None) -> Options:
    return parse_test([*ROOT, *words.split()], stored=lambda run: stored or {})


class TestOptionFiles:
    def test_the_text_is_laid_out_as_the_official_one(self) -> None:
        opt = for_train("--model pix2pix --lr 0.5")
        first, *lines, last = as_text(flatten(opt), opt.defaults).split("\n")
        assert first == "----------------- Options ---------------"
        assert last == "----------------- End -------------------"
        assert lines == sorted(lines, key=lambda line: line.split(":")[0].strip())
        assert "                       lr: 0.5                           \t[default: 0.0002]" in lines
        assert "                     norm: batch                         " in lines

    def test_the_text_marks_what_differs_from_the_default_of_the_model(self) -> None:
        opt = for_train("--model pix2pix --ngf 8")
        lines = {line.split(":")[0].strip(): line for line in as_text(flatten(opt), opt.defaults).splitlines()}
        assert lines["ngf"] == f"{'ngf':>25}: {'8':<30}\t[default: 64]"
        assert "[default" not in lines["norm"]  # batch is pix2pix's own default
        assert lines["dataroot"].endswith("\t[default: ]")

    @pytest.mark.parametrize("words", ["", "--max_dataset_size 7 --suffix {ngf}", "--model colorization --lr 1e-7"])
    def test_what_is_written_is_read_back(self, words: str, tmp_path: Path) -> None:
        before = for_train(f"{words} --name a")
        write_options(before, tmp_path)
        after = for_train("--continue_train --name a", read_options(tmp_path))
        names = set(flatten(before)) - {"continue_train", "name", "suffix"}
        assert {n: flatten(after)[n] for n in names} == {n: flatten(before)[n] for n in names}
        assert type(after.data.max_dataset_size) is type(before.data.max_dataset_size)

    def test_infinity_is_stored_as_valid_json(self, tmp_path: Path) -> None:
        write_options(for_train(), tmp_path)
        text = (tmp_path / "train_opt.json").read_text()
        assert '"max_dataset_size": "inf"' in text
        assert "Infinity" not in text

    def test_a_test_writes_its_text_by_phase_and_leaves_the_runs_options_alone(self, tmp_path: Path) -> None:
        write_options(for_test("--phase val"), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["val_opt.txt"]

    def test_a_folder_without_stored_options_has_none(self, tmp_path: Path) -> None:
        assert read_options(tmp_path) == {}
