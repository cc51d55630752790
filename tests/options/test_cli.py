"""From words to settings: which layer wins, what is refused, and what the sentence says."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from data.registry import DATASETS
from models.registry import MODELS
from options.cli import parse_test, parse_train
from options.errors import UserError
from options.export import parse_export
from options.stored import flatten
from tests.options.parsed import RUN, for_test, for_train, last_line

PARSE = {"train": for_train, "test": for_test}


class TestPrecedence:
    def test_a_data_set_overrides_a_field(self) -> None:
        assert for_train().data.max_dataset_size == math.inf
        assert for_train("--dataset_mode template").data.max_dataset_size == 10

    def test_a_model_overrides_a_data_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(DATASETS["aligned"], "defaults", {"norm": "none", "ngf": 8})
        opt = for_train("--model pix2pix")
        assert (opt.net.norm, opt.net.ngf) == ("batch", 8)

    def test_a_stored_option_overrides_a_model(self) -> None:
        assert for_test("--model pix2pix", {"model": "pix2pix", "norm": "instance"}).net.norm == "instance"
        assert for_train("--continue_train", {"model": "pix2pix", "norm": "instance"}).net.norm == "instance"

    def test_the_command_line_overrides_a_stored_option(self) -> None:
        assert for_test("--norm none", {"model": "pix2pix", "norm": "instance"}).net.norm == "none"
        assert for_train("--continue_train --lr 0.1", {"lr": 0.5}).optim.lr == 0.1

    @pytest.mark.parametrize("model", tuple(MODELS))
    def test_the_defaults_of_every_model_and_its_data_set_are_flags(self, model: str) -> None:
        opt = for_test(f"--model {model}")
        assert {name: flatten(opt)[name] for name in MODELS[model].defaults} == dict(MODELS[model].defaults)

    def test_the_last_of_two_equal_flags_wins(self) -> None:
        assert for_train("--ngf 8 --ngf 16").net.ngf == 16

    def test_dropout_undoes_what_cyclegan_leaves_out(self) -> None:
        assert for_train().net.no_dropout
        assert not for_train("--dropout").net.no_dropout
        assert not for_test("--dropout", {**RUN, "no_dropout": True}).net.no_dropout


TOO_SMALL = (
    "batch_size=0 num_threads=-1 load_size=0 crop_size=-8 max_dataset_size=0 ngf=0 n_layers_D=0 num_D=0 "
    "n_epochs=-1 epoch_count=0 pool_size=-1 clip_grad=-1 accumulate=0 print_freq=0 save_epoch_freq=0 "
    "init_gain=-1"
)
REFUSED = [
    *(
        ("train", f"--{typed}", f"--{typed.replace('=', ' ')}.* is too small; it must be")
        for typed in TOO_SMALL.split()
    ),
    ("train", "--input_nc 0 --output_nc 0", r"--input_nc 0 is too small"),
    ("test", "--num_test 0", r"--num_test 0 is too small; it must be at least 1"),
    ("train", "--lr_polcy linear", r"unknown flag '--lr_polcy'; did you mean '--lr_policy'\?.*train.py --help"),
    ("test", "--num_tests 5", r"did you mean '--num_test'"),
    ("train", "horse2zebra", r"horse2zebra"),
    ("train", "--lambda_L1 5", r"--lambda_L1 is a flag of --model pix2pix"),
    ("train", "--model pix2pix --lambda_A 5", r"--lambda_A is a flag of --model cycle_gan"),
    ("train", "--new_dataset_option 5", r"--new_dataset_option is a flag of --dataset_mode template"),
    ("train", "--model_suffix=_A", r"flag of --model test"),
    ("test", "--n_epochs 5", r"--n_epochs is a flag of train.py, not of test.py; leave it out"),
    ("train", "--num_test 5", r"--num_test is a flag of test.py"),
    ("train", "--model pix2pxi", r"unknown model 'pix2pxi'; did you mean 'pix2pix'\?; known: .*cycle_gan"),
    ("test", "--model pix2pxi", r"did you mean 'pix2pix'"),
    ("train", "--dataset_mode alinged", r"unknown data set 'alinged'; did you mean 'aligned'\?; known: .*unaligned"),
    ("train", "--netG resnet_9block", r"unknown generator 'resnet_9block'; did you mean 'resnet_9blocks'"),
    ("train", "--netD pixl", r"unknown discriminator 'pixl'; did you mean 'pixel'\?; known: basic, n_layers, pixel"),
    ("train", "--norm bach", r"--norm: invalid choice: 'bach'.*instance.*batch.*none"),
    ("train", "--lr_policy linaer", r"--lr_policy: invalid choice: 'linaer'.*linear.*cosine"),
    ("train", "--preprocess resize", r"--preprocess.*resize_and_crop"),
    ("train", "--max_dataset_size some", r"--max_dataset_size.*some"),
    ("train", "--n_epochs 0 --n_epochs_decay 0", r"--n_epochs plus --n_epochs_decay 0 is too small"),
    ("train", "--batch_size 4 --accumulate 5", r"--accumulate 5 is more than --batch_size 4,.*lower --accumulate"),
    ("train", "--model pix2pix --accumulate 2", r"--accumulate 2 is more than --batch_size 1"),
    ("test", "--accumulate 2", r"--accumulate is a flag of train.py"),
    ("train", "--model pix2pix --memory low", r"--memory low has no effect on --model pix2pix.*--accumulate"),
    ("train", "--model template --memory low", r"--memory low has no effect on --model template"),
    ("train", "--netG unet_128 --memory lowest", r"--netG unet_128 has none; pass --memory low"),
    ("train", "--model pix2pix --memory lowest", r"--netG unet_256 has none; leave it out, or split the batch"),
    ("train", "--memory lowest --compile nets", r"--memory lowest cannot be combined with --compile nets"),
    ("train", "--lr 0", r"--lr 0.0 is not a learning rate"),
    ("train", "--lr nan", r"argument --lr: 'nan' is not a finite number"),
    ("train", "--beta1 1", r"--beta1 1.0 is outside"),
    ("train", "--seed 4294967296", r"--seed 4294967296 is outside 0 to 4294967295"),
    ("train", "--seed=-1", r"--seed -1 is outside 0 to 4294967295; without the flag it is 0"),
    ("train", "--display_port 0", r"--display_port 0 is outside 1 to 65535; without the flag it is 8097"),
    ("train", "--epoch_count 300", r"--epoch_count 300 is past the last epoch, 200"),
    ("train", "--patch_size 5", r"--patch_size 5 is none of 1, 16, 34, 70"),
    ("train", "--patch_size 70 --netD basic", r"--patch_size 70 takes the place of --netD and --n_layers_D"),
    ("train", "--val_share 1", r"--val_share 1.0 is outside \[0, 1\); a usual share is 0.1"),
    ("train", "--ema 1", r"--ema 1.0 is outside \[0, 1\); the usual value is 0.999"),
    ("test", "--compile step", r"--compile step records the steps of a training; pass --compile nets"),
    ("test", "--model pix2pix --dataset_mode single", r"--dataset_mode single has no B images, which --model pix2pix"),
    ("test", "--aspect_ratio 0", r"--aspect_ratio 0.0 must be above 0"),
    ("train", "--load_size 128", r"--crop_size 256 is larger than --load_size 128; raise --load_size or lower"),
    ("train", "--compile nets --gan_mode wgangp", r"--compile nets cannot differentiate twice.*pass --compile off"),
    ("train", "--cache_dir x", r"--cache_gb and --cache_dir have no effect without --cache; add --cache ram or"),
    ("test", "--cache ram", r"--cache has no effect in a test; leave it out"),
    ("train", "--cache ram --cache_gb 0", r"--cache_gb 0.0 is no room at all; give a number above 0, or --cache off"),
    ("train", "--value_range 0..9", r"--value_range '0..9' is not a range; give LOW,HIGH such as 0,4095"),
    ("test", "--value_range_A 0,inf", r"--value_range_A '0,inf' is not a range"),
    ("train", "--augment rotaton", r"--augment does not know 'rotaton'; did you mean 'rotation'"),
    ("train", "--augment_input blur=99", r"--augment_input blur"),
    ("test", "--augment rotation", r"--augment has no effect in a test; leave it out"),
    ("train", "--model pix2pix --pool_size 50", r"--pool_size 50 has no effect on pix2pix; leave it out"),
    ("train", "--n_layers_D 4", r"--n_layers_D 4 has no effect with --netD basic; add --netD n_layers"),
    ("train", "--lr_decay_iters 20", r"--lr_decay_iters 20 has no effect with --lr_policy linear; add .*step"),
    ("train", "--input_nc 1", r"--lambda_identity needs --input_nc equal to --output_nc.*pass --lambda_identity 0"),
    ("train", "--suffix {nothing}", r"--suffix '{nothing}' names no option"),
    ("train", "--model test", r"--model test only translates; train with"),
    ("test", "--model test --dataset_mode aligned", r"--model test reads --dataset_mode single, not aligned"),
    ("train", "--ngf", r"--ngf: expected one argument"),
    ("train", "--no_flip maybe", r"--no_flip: 'maybe' is neither true nor false; a switch alone means true"),
    ("train", "--ngf many", r"--ngf: invalid int value: 'many'"),
    ("train", "--n_epochs_d 1", r"unknown flag '--n_epochs_d'"),
    (
        "train",
        "--preset horse2zebr",
        r"unknown preset 'horse2zebr'; did you mean 'horse2zebra'\?; known: .* --preset list",
    ),
    ("train", "--preset facades --model cycle_gan", r"facades is a recipe for --model pix2pix, not cycle_gan; leave"),
    ("test", "--preset facades", r"--preset is a flag of train.py, not of test.py; leave it out"),
]


@pytest.mark.parametrize(("command", "words", "message"), REFUSED, ids=[f"{c} {w}" for c, w, _ in REFUSED])
def test_a_mistake_ends_in_usage_one_sentence_and_exit_code_2(
    command: str, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        PARSE[command](words)
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert err.startswith(f"usage: python {command}.py")
    assert re.search(message, err.strip().splitlines()[-1])


@pytest.mark.parametrize("parse", [parse_train, parse_test])
def test_without_a_folder_of_images_the_sentence_shows_how_to_give_one(
    parse: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse([])
    assert re.search("--dataroot is missing; give the folder of images, such as --dataroot", last_line(capsys))


@pytest.mark.parametrize(
    "words",
    [
        "--load_size 128 --preprocess crop",  # nothing is scaled, so the sizes do not meet
        "--netD n_layers --n_layers_D 4",
        "--lr_policy step --lr_decay_iters 20",
        "--input_nc 1 --lambda_identity 0",
        "--model pix2pix --pool_size 0",
        "--netG unet_1024",
        "--netG resnet_3blocks",
        "--n_epochs 0 --n_epochs_decay 1",
    ],
)
def test_the_way_out_that_a_sentence_names_is_open(words: str) -> None:
    for_train(words)


def test_the_average_to_export_is_below_1() -> None:
    with pytest.raises(UserError, match=r"--ema 2.0 is outside \[0, 1\); pass 0.999 for averaged weights"):
        parse_export(["run", "--ema", "2"])


def test_parsing_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for_train("--name a --checkpoints_dir runs")
    for_train("--name a --continue_train")
    for_test("--name a --results_dir out")
    assert list(tmp_path.iterdir()) == []
