"""Measure the images in a folder, whatever made them, against the real ones of a data set."""

import logging
from collections.abc import Mapping, Sequence
from itertools import islice

import torch
from torch import Tensor

from data.registry import create_dataset
from inference.evaluating.images import Images, plain
from inference.evaluating.labels import BACK, find_label, named
from inference.evaluating.of_run import default_names, metric_names
from inference.evaluating.result import Evaluated
from metrics.base import METRICS, Need, PairMetric
from metrics.evaluation import Evaluation
from metrics.images import pixels_of
from options.data import DataOptions
from options.errors import UserError
from options.schema import Options
from util.images import ImageArray, to_uint8

log = logging.getLogger(__name__)


@torch.no_grad()
def evaluate_folder(folder: str, opt: Options, label: str, device: torch.device) -> Evaluated:
    """Compare images with the images that they imitate: B, or with ``--direction BtoA`` A.

    Where every image has the name of a real image, the two are also compared one by one.

    Args:
        opt: reads the real images; in a plain folder (``--dataset_mode single``) all are real ones.
        label: what the names of the images end in, such as ``fake_B``; empty finds those that imitate the real ones.

    Raises:
        UserError: there are no images, it is not clear which, or a metric needs partners that some lack.
    """
    _refuse_random_cut(opt.data)
    made = Images(create_dataset(plain(opt, folder, limited=False)), results=True)
    is_plain = opt.data.dataset_mode == "single"
    real_opt = plain(opt, opt.data.dataroot, limited=True) if is_plain else opt
    real = Images(create_dataset(real_opt), results=is_plain)
    label = find_label(made, real, label, backwards=opt.data.direction == "BtoA")
    every = named(made, label)
    chosen = dict(islice(every.items(), int(min(opt.data.max_dataset_size, len(every)))))
    if label:
        log.info("measured are the images whose names end in _%s: %d", label, len(chosen))
    lonely = _why_lonely(chosen, made, real, label)
    names = metric_names(opt.result.metrics) or default_names(paired=not lonely, comes_back=False)
    _refuse_impossible(names, lonely, real)
    evaluation = Evaluation(names, opt.evaluation, device)
    _feed(evaluation, chosen, made, real, device)

    def images(generator: str, name: str) -> Mapping[str, ImageArray]:
        found = {"image": made.image(chosen[name]), "real": real.image(real.place(name))}
        return {kind: to_uint8(image * 2 - 1) for kind, image in found.items()}

    about = {"folder": folder, "label": label, "phase": opt.data.phase, "dataroot": opt.data.dataroot}
    return Evaluated(about, {"": evaluation.report()}, images)


def _feed(evaluation: Evaluation, chosen: Mapping[str, int], made: Images, real: Images, device: torch.device) -> None:
    """Show an evaluation all images that it needs."""
    needs = evaluation.needs
    for name, place in chosen.items():
        image = made.image(place).to(device)
        evaluation.add_fake(image, [name])
        if "pairs" in needs:
            partner = real.image(real.place(name)).to(device)
            _refuse_other_size(evaluation, image, partner, made.path(place), real.path(real.place(name)))
            evaluation.add_pairs(image, partner, [name])
        if "labelled" in needs:
            evaluation.add_labelled(image, real.input(real.place(name)).to(device), [name])
    if "sets" in needs:
        evaluation.real_set(real.files, lambda: (one.to(device) for one in real), preparation=real.preparation)


def _why_lonely(chosen: Mapping[str, int], made: Images, real: Images, label: str) -> str:
    """Say of the first image without a partner why it has none; nothing if all have one."""
    for name, place in chosen.items():
        if name not in real:
            return f"{made.path(place)} has no partner of its name in --dataroot"
        if label == BACK and name not in real.sources:  # made of the image that came with the one of its name
            return f"{made.path(place)} has the name of an image that is not the one that it is made of"
    return ""


def _refuse_impossible(names: Sequence[str], lonely: str, real: Images) -> None:
    """Raise a ``UserError`` for a metric that images without partners, or without a way back, do not have."""
    unpaired = f"--dataset_mode {real.dataset.opt.dataset_mode} has no pairs"
    why: dict[Need, str] = {
        "sets": "",
        "pairs": lonely,
        "labelled": lonely or ("" if real.dataset.paired else unpaired),
        "cycles": "there is no way back",
    }
    for name in names:
        if reason := why[METRICS[name].needs]:
            fit = [key for key in METRICS if not why[METRICS[key].needs]]
            raise UserError(f"the metric {name} cannot be measured: {reason}; measured can be {', '.join(fit)}")


def _refuse_other_size(evaluation: Evaluation, image: Tensor, partner: Tensor, path: str, partners: str) -> None:
    """Raise a ``UserError`` for two that cannot be compared pixel by pixel."""
    alike = [name for name, one in evaluation.metrics.items() if isinstance(one, PairMetric) and one.needs == "pairs"]
    if alike and image.shape[2:] != partner.shape[2:]:
        size = min(image.shape[2:])
        raise UserError(
            f"{path} has {pixels_of(image)} pixels and {partners} {pixels_of(partner)}, but {alike[0]} compares images "
            f"of one size; add --preprocess resize_and_crop --load_size {size} --crop_size {size}, or ask for metrics "
            "of sets alone: --metrics fid,kid"
        )


def _refuse_random_cut(opt: DataOptions) -> None:
    """Raise a ``UserError`` where two images of a pair would be cut in different places."""
    whole = opt.preprocess == "resize_and_crop" and opt.load_size == opt.crop_size
    if opt.preprocess.endswith("crop") and not whole:
        raise UserError(
            f"--preprocess {opt.preprocess} cuts parts out at random, of an image another than of its partner; pass "
            "--preprocess resize_and_crop with the same --load_size and --crop_size, scale_width or scale_shortside"
        )
