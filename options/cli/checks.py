"""What is refused across the groups of flags: contradictions, flags without effect, words that are no flags."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from data.augment.augmentation import parse_augmentation
from data.registry import DATASETS
from models.registry import MODELS
from networks.factory import check_network_names
from options.cli.resolving import Resolved
from options.errors import UserError
from options.flag import flags_of
from options.schema import TEST_TABLES, TRAIN_TABLES
from util.registry import did_you_mean

log = logging.getLogger(__name__)


def check(final: Resolved, *, is_train: bool) -> None:
    """Refuse what contradicts itself across the groups of flags."""
    values, model, dataset = final.values, final.model, final.dataset
    if not values["dataroot"]:
        raise UserError("--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades")
    if "patch_size" in final.given and {"netD", "n_layers_D"} & set(final.given):
        raise UserError(
            f"--patch_size {values['patch_size']} takes the place of --netD and --n_layers_D; leave one out"
        )
    check_network_names(values["netG"], values["netD"])
    for flag in ("augment", "augment_input"):
        parse_augmentation(values[flag], f"--{flag}")
    for flag in ("augment", "augment_input", "cache", "cache_gb", "cache_dir", "no_data_check"):
        if flag in final.given and not is_train:
            raise UserError(f"--{flag} has no effect in a test; leave it out")
    if {"cache_gb", "cache_dir"} & set(final.given) and values["cache"] == "off":
        raise UserError("--cache_gb and --cache_dir have no effect without --cache; add --cache ram or --cache disk")
    if is_train and not model.needs_target:
        raise UserError(f"--model {values['model']} only translates; train with --model cycle_gan or pix2pix")
    for flag in ("epoch", "load_iter") if is_train and not final.given.get("continue_train") else ():
        if flag in final.given:
            raise UserError(f"--{flag} has no effect without --continue_train; add that or leave it out")
    if is_train and values["gan_mode"] == "wgangp" and values["norm"] in ("batch", "syncbatch"):
        log.warning("--gan_mode wgangp judges each image alone, which --norm %s prevents; use instance", values["norm"])
    if values["compile"] != "off" and values.get("gan_mode") == "wgangp":
        raise UserError(
            f"--compile {values['compile']} cannot differentiate twice, as --gan_mode wgangp does; pass --compile off"
        )
    if values["compile"] == "step" and not is_train:
        raise UserError("--compile step records the steps of a training; pass --compile nets")
    if model.needs_target and not dataset.has_target:
        raise UserError(
            f"--dataset_mode {values['dataset_mode']} has no B images, which --model {values['model']} needs; use "
            "--dataset_mode unaligned or aligned, or --model test to translate a plain folder"
        )
    if is_train:
        _check_validation(values, final.given)
    model.check_options(values, final.given)


def _check_validation(values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse flags of a validation that does not take place."""
    measures = values["val_freq"] > 0 or values["lr_policy"] == "plateau"
    for name in ("val_metrics", "best_metric", "patience", "val_size"):
        if name in given and given[name] and not measures:
            raise UserError(f"--{name} {given[name]} has no effect without --val_freq; add --val_freq 1")
    if values["val_share"] and "val_phase" in given:
        raise UserError(f"--val_share {values['val_share']} takes the place of --val_phase; leave one of them out")


def refuse_other_preset(stored: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a recipe for a run that goes on: all flags of the run are stored already, and win.

    Raises:
        UserError: the run was started with another one, or with none.
    """
    name, before = given.get("preset", ""), stored.get("preset", "")
    if name and name != before:
        made = f"--preset {before}" if before else "no preset"
        raise UserError(
            f"--preset {name} has no effect on a run that goes on; this one was started with {made}; leave --preset "
            "out, or choose another --name"
        )


def refuse_unknown(unknown: Sequence[str], known: Sequence[str], *, is_train: bool) -> None:
    """Say of the first unknown word what was probably meant.

    Args:
        known: flags as they are typed.
    """
    if not unknown:
        return
    word = next((w for w in unknown if w.startswith("-")), unknown[0])
    name = word.lstrip("-").split("=")[0]
    owners = [("--model", key, MODELS[key].Flags) for key in MODELS]
    owners += [("--dataset_mode", key, DATASETS[key].Flags) for key in DATASETS]
    for flag, key, table in owners:
        if name in flags_of(table):
            raise UserError(f"{word} is a flag of {flag} {key} only; leave it out or choose {flag} {key}")
    this, other = ("train.py", "test.py") if is_train else ("test.py", "train.py")
    if any(name in flags_of(table) for table in (*TRAIN_TABLES.values(), *TEST_TABLES.values())):
        raise UserError(f"{word} is a flag of {other}, not of {this}; leave it out")
    raise UserError(f"unknown flag {word!r}{did_you_mean(word, known)}; see python {this} --help-all")
