"""The flags that only a training has, as frozen dataclasses: where it starts from, and how it is optimised."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from options.errors import UserError
from options.flag import INFINITE, Settings, at_least, flag

_once = partial(flag, scope="command")  # says what this command does, not what the run is


@dataclass(frozen=True, kw_only=True)
class StartOptions(Settings):
    """Where a training starts.

    Afresh, from trained networks, or where the run was stopped.
    """

    preset: str = flag(
        "",
        "a paper's recipe; list shows all. It sets the flags that are not typed; a good start for images like its own",
        metavar="NAME",
        otherwise="none",
        essential=True,
    )
    continue_train: bool = _once(
        False,
        "go on with the run of this name. With the flags it has stored; type those that change, such as --n_epochs",
        essential=True,
    )
    resume: Literal["off", "auto"] = _once(
        "off",
        "auto: go on with the run of this name if there is one, else start it. One command for a cluster that stops "
        "and starts jobs as it likes",
    )
    overwrite: bool = _once(False, "delete the run of this name and start anew. When an attempt was of no use")
    init_from: str = flag(
        "",
        "start from trained networks, a run or a file. That is a run's name or folder (its averaged generators, if "
        "any), or a generator's .pth or .safetensors file (a comma between two); saves time where images are alike",
        metavar="RUN",
        otherwise="fresh networks",
        essential=True,
        fixed=True,
    )
    epoch_count: int = _once(
        1,
        "number of the first epoch, where only weights are loaded. As the learning rate falls with the epochs",
        least=1,
    )
    timeout: float = flag(
        600.0,
        "seconds after which a process that is not heard ends a training of several. More where a disk is slow, less "
        "to restart sooner",
        metavar="SECONDS",
        least=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.overwrite and (self.continue_train or self.resume == "auto"):
            raise UserError("--overwrite starts anew; leave it out, or leave out --continue_train and --resume auto")


@dataclass(frozen=True, kw_only=True)
class OptimOptions(Settings):
    """Optimisation.

    How the networks learn, how fast, and for how long. The defaults are those of the papers.
    """

    n_epochs: int = flag(
        100,
        "epochs at the first learning rate. More for small sets, fewer for large ones: some 100,000 to 300,000 steps "
        "are common",
        essential=True,
        aliases=("niter",),
        least=0,
    )
    n_epochs_decay: int = flag(
        100,
        "epochs in which it falls to zero. It reaches that one epoch later; as many as before is usual, 0 keeps it",
        essential=True,
        aliases=("niter_decay",),
        least=0,
    )
    lr: float = flag(
        0.0002,
        "learning rate of Adam. Lower where losses jump; higher with large batches",
        metavar="RATE",
        essential=True,
    )
    beta1: float = flag(0.5, "Adam's first momentum. 0.5 keeps GANs calm; 0.9 is usual elsewhere", metavar="SHARE")
    lr_policy: Literal["linear", "step", "plateau", "cosine"] = flag(
        "linear",
        "how the learning rate falls. plateau: when validations get no better, without a number of epochs in advance",
        parse=lambda text: {"lambda": "linear"}.get(text, text),
    )
    lr_decay_iters: int = flag(50, "epochs between two steps of --lr_policy step. A tenth of all, for example", least=1)
    scale_lr: Literal["none", "linear", "sqrt"] = flag(
        "none",
        "multiply --lr by the number of processes, or its root. A step on several GPUs has more images, so it may be "
        "larger",
    )
    gan_mode: Literal["lsgan", "vanilla", "wgangp"] = flag(
        "lsgan",
        "adversarial loss. lsgan for CycleGAN and vanilla for pix2pix, as in the papers; wgangp where the "
        "discriminator wins outright; slower",
        shorthands={"no_lsgan": "vanilla"},
    )
    pool_size: int = flag(
        50,
        "older fakes kept to show to the discriminator; 0 keeps none. Against generators that go round in circles",
        least=0,
    )
    ema: float = flag(
        0.0,
        "share that the average of the generators' weights keeps at every step, such as 0.999; 0: no average. "
        "Averaged weights make steadier and often better images",
        metavar="SHARE",
        scope="networks",
    )
    clip_grad: float = flag(
        0.0,
        "longest gradient of the networks that are updated together; 0: as it is. Where losses explode now and then",
        metavar="LENGTH",
        least=0,
    )
    accumulate: int = flag(
        1,
        "parts in which a batch is computed one after the other. For batches that do not fit into memory; each part "
        "has batch norms of its own",
        least=1,
    )
    memory: Literal["normal", "low", "lowest"] = flag(
        "normal",
        "low: the losses of CycleGAN and CUT one after the other, with the same result. lowest also computes residual "
        "blocks twice instead of remembering them; for images that do not fit, slower",
    )
    on_nan: Literal["stop", "skip"] = flag(
        "stop",
        "when a loss is no number: stop, or skip the rest of that step. skip for long trainings with fp16; waits for "
        "the device at every step",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("--n_epochs plus --n_epochs_decay", self.last_epoch, 1)
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema {self.ema} is outside [0, 1); the usual value is 0.999, and 0 keeps no average")
        if not 0 < self.lr < INFINITE:
            raise UserError(f"--lr {self.lr} is not a learning rate; give a number above 0, such as 0.0002")
        if not 0 <= self.beta1 < 1:
            raise UserError(f"--beta1 {self.beta1} is outside [0, 1); the usual value is 0.5")
        if self.lr_decay_iters != 50 and self.lr_policy != "step":
            raise UserError(
                f"--lr_decay_iters {self.lr_decay_iters} has no effect with --lr_policy {self.lr_policy}; "
                "add --lr_policy step"
            )

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch."""
        return self.n_epochs + self.n_epochs_decay

    def first_rate(self, processes: int) -> float:
        """Return the learning rate of the first epoch for so many processes."""
        return self.lr * {"none": 1.0, "linear": float(processes), "sqrt": math.sqrt(processes)}[self.scale_lr]
