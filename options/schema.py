"""Every shared flag, as frozen dataclasses by topic; two topics have files: ``options.data``, ``options.training``.

A field's name is its flag. ``bool`` becomes a switch, ``Literal`` becomes choices, anything else
its type. Models and data sets add their own dataclass (``Flags``) and override defaults as data.
This module imports nothing of the project outside ``options``, so that everything may import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

from options.data import DataOptions as DataOptions
from options.errors import UserError
from options.evaluation import EvaluationSettings
from options.flag import INFINITE, at_least, count_or_inf, flag
from options.speed import SpeedOptions
from options.training import LogOptions, OptimOptions, SaveOptions, StartOptions
from options.validation import ValidationOptions


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """What a model or data set without flags of its own declares."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Which run, which model, where."""

    name: str = flag("experiment_name", "name of the run: its files lie in checkpoints_dir/name")
    checkpoints_dir: str = flag("./checkpoints", "folder of all runs")
    model: str = flag("cycle_gan", "what is learned")
    epoch: str = flag("latest", "which saved weights to load: latest or an epoch number", aliases=("which_epoch",))
    load_iter: int = flag(0, "if above 0, load the weights saved as iter_<N> instead of --epoch")
    suffix: str = flag("", "added to the name as _<suffix>; {model}, {netG} ... are filled in")
    verbose: bool = flag(False, "print the networks")
    quiet: bool = flag(False, "print warnings only, and no progress bar")
    gpu_ids: str = flag("", "GPUs, as 0 or 0,1,2; -1 is the CPU; empty takes the first GPU there is")
    device: str = flag("auto", "auto, cpu, cuda, cuda:1 or mps")
    seed: int = flag(0, "seed of every random choice")
    deterministic: bool = flag(False, "the same bits in every run on the same GPU, at some cost in speed")
    use_wandb: bool = flag(False, "log to Weights & Biases (pip install wandb)")
    wandb_project_name: str = flag("CycleGAN-and-pix2pix", "project on Weights & Biases")

    def __post_init__(self) -> None:
        at_least("--load_iter", self.load_iter, 0)
        at_least("--seed", self.seed, 0)
        if self.seed >= 2**32:
            raise UserError(f"--seed {self.seed} is too large; it must be below 2**32")


class Discriminator(NamedTuple):
    """A discriminator's name and its number of layers; 0 for ``pixel``."""

    name: str
    layers: int


PATCHES: Mapping[int, Discriminator] = MappingProxyType(  # by the side of what it sees, in pixels
    {
        1: Discriminator("pixel", 0),
        16: Discriminator("n_layers", 1),
        34: Discriminator("n_layers", 2),
        70: Discriminator("n_layers", 3),
        142: Discriminator("n_layers", 4),
        286: Discriminator("n_layers", 5),
    }
)


@dataclass(frozen=True, kw_only=True)
class NetOptions:
    """What is built."""

    input_nc: int = flag(3, "channels of the input: 3 colour, 1 gray, 4 with alpha, any number for TIFF and NPY files")
    output_nc: int = flag(3, "channels of the output")
    ngf: int = flag(64, "filters in the last layer of the generator")
    ndf: int = flag(64, "filters in the first layer of the discriminator")
    netG: str = flag(
        "resnet_9blocks",
        "generator, with a number for <N>: resnet_<N>blocks such as resnet_6blocks, unet_<N> such as unet_256, "
        "encdec_<N> (a U-Net without skips), adalin_<N>blocks (adalin_4blocks is U-GAT-IT's), johnson_<N>blocks",
        aliases=("which_model_netG",),
    )
    netD: str = flag("basic", "discriminator: basic, n_layers or pixel", aliases=("which_model_netD",))
    n_layers_D: int = flag(3, "layers of the discriminator; only with --netD n_layers")
    patch_size: int = flag(
        0, "pixels a side that the discriminator sees, in place of --netD: 1, 16, 34, 70 (basic), 142 or 286"
    )
    num_D: int = flag(1, "discriminators of that kind, each sees the images at half the size of the one before")
    norm: Literal["instance", "batch", "syncbatch", "none"] = flag("instance", "normalisation layer")
    spectral_norm: Literal["none", "D", "GD"] = flag(
        "none", "divide weights by their largest singular value: those of the discriminators, or of all networks"
    )
    upsampling: Literal["transposed", "resize"] = flag(
        "transposed", "how the generator doubles maps; resize, then convolve, makes no checkerboards"
    )
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal"] = flag("normal", "initial weights")
    init_gain: float = flag(0.02, "scale of the initial weights")
    no_dropout: bool = flag(False, "no dropout in the generator (--dropout: with)", shorthands={"dropout": False})

    def __post_init__(self) -> None:
        for name in ("input_nc", "output_nc", "ngf", "ndf", "n_layers_D", "num_D"):
            at_least(f"--{name}", getattr(self, name), 1)
        at_least("--init_gain", self.init_gain, 0)
        if self.n_layers_D != 3 and self.netD != "n_layers":
            raise UserError(
                f"--n_layers_D {self.n_layers_D} has no effect with --netD {self.netD}; add --netD n_layers"
            )
        if self.patch_size and self.patch_size not in PATCHES:
            raise UserError(f"--patch_size {self.patch_size} is none of {', '.join(map(str, PATCHES))}")
        if self.patch_size and self.netD != "basic":
            raise UserError(f"--patch_size {self.patch_size} takes the place of --netD {self.netD}; leave one out")

    @property
    def discriminator(self) -> Discriminator:
        """Return what ``--netD`` and ``--n_layers_D``, or ``--patch_size``, come to."""
        layers = {"basic": 3, "n_layers": self.n_layers_D}.get(self.netD, 0)
        return PATCHES.get(self.patch_size, Discriminator(self.netD, layers))


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What ``test.py`` does with a trained run."""

    results_dir: str = flag("./results/", "folder of results")
    aspect_ratio: float = flag(1.0, "stretch the width of the results by this factor")
    eval: bool = flag(False, "batch norm and dropout as at inference instead of as in training")
    num_test: float = flag(
        INFINITE, "translate at most this many images", parse=count_or_inf, aliases=("how_many", "ntest")
    )
    display_winsize: int = flag(256, "width of an image on the page, pixels")
    metrics: str = flag("", "measure the results, such as fid,lpips: see python evaluate.py --help")
    ema: float = flag(0.0, "above 0, as a run trained with --ema has it: averaged weights; 0: the raw ones")

    def __post_init__(self) -> None:
        at_least("--num_test", self.num_test, 1)
        at_least("--display_winsize", self.display_winsize, 1)
        if not 0 < self.aspect_ratio < INFINITE:
            raise UserError(f"--aspect_ratio {self.aspect_ratio} must be above 0; 1 keeps the shape")


@dataclass(frozen=True, kw_only=True)
class Options:
    """All settings of one command, by topic.

    Attributes:
        own: the flags that the model declares.
        dataset: the flags that the data set declares.
        is_train: True in ``train.py``.
        held_out: read the images that ``--val_share`` keeps aside, instead of the others.
    """

    run: RunOptions
    data: DataOptions
    net: NetOptions
    speed: SpeedOptions
    start: StartOptions
    optim: OptimOptions
    val: ValidationOptions
    evaluation: EvaluationSettings
    save: SaveOptions
    log: LogOptions
    result: ResultOptions
    own: Any  # an instance of the model's Options class
    dataset: Any  # an instance of the data set's Options class
    is_train: bool
    held_out: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)  # flag -> value when not given

    def __post_init__(self) -> None:
        if self.start.epoch_count > self.optim.last_epoch:
            raise UserError(
                f"--epoch_count {self.start.epoch_count} is past the last epoch, {self.optim.last_epoch} (--n_epochs "
                "plus --n_epochs_decay); raise one of these"
            )

    TRAIN_GROUPS: ClassVar[Mapping[str, type]] = {
        "run": RunOptions,
        "data": DataOptions,
        "net": NetOptions,
        "speed": SpeedOptions,
        "start": StartOptions,
        "optim": OptimOptions,
        "val": ValidationOptions,
        "evaluation": EvaluationSettings,
        "save": SaveOptions,
        "log": LogOptions,
    }
    TEST_GROUPS: ClassVar[Mapping[str, type]] = {
        "run": RunOptions,
        "data": DataOptions,
        "net": NetOptions,
        "speed": SpeedOptions,
        "result": ResultOptions,
        "evaluation": EvaluationSettings,
    }
