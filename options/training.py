"""The flags that only a training has, as frozen dataclasses by topic."""

import math
from dataclasses import dataclass
from typing import Literal

from options.errors import UserError
from options.flag import INFINITE, at_least, flag


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """Where a training starts from, and how long its processes wait for each other."""

    preset: str = flag("", "a paper's recipe, which sets the flags that are not given; list shows all")
    continue_train: bool = flag(False, "go on with the run of this name")
    resume: Literal["off", "auto"] = flag("off", "auto: go on with the run of this name if there is one, else start it")
    overwrite: bool = flag(False, "delete the run of this name and start anew")
    init_from: str = flag(
        "",
        "start from trained networks: a run's name or folder (its averaged generators, if any), or a generator's .pth "
        "or .safetensors file (a comma between two)",
    )
    epoch_count: int = flag(1, "number of the first epoch, where only weights are loaded")
    timeout: float = flag(600.0, "seconds after which a process that is not heard ends a training of several processes")

    def __post_init__(self) -> None:
        at_least("--epoch_count", self.epoch_count, 1)
        at_least("--timeout", self.timeout, 1)
        if self.overwrite and (self.continue_train or self.resume == "auto"):
            raise UserError("--overwrite starts anew; leave it out, or leave out --continue_train and --resume auto")


@dataclass(frozen=True, kw_only=True)
class OptimOptions:
    """How it is optimised, and for how long."""

    n_epochs: int = flag(100, "epochs at the first learning rate", aliases=("niter",))
    n_epochs_decay: int = flag(100, "epochs in which it falls, to reach zero one epoch later", aliases=("niter_decay",))
    beta1: float = flag(0.5, "Adam's first momentum")
    lr: float = flag(0.0002, "learning rate of Adam")
    scale_lr: Literal["none", "linear", "sqrt"] = flag(
        "none", "multiply --lr by the number of processes (linear) or its root (sqrt), as a step has more images then"
    )
    clip_grad: float = flag(
        0.0, "longest gradient of the networks that are updated together, longer ones are shortened to it; 0: as it is"
    )
    accumulate: int = flag(
        1, "parts in which a batch is computed one after the other, to save memory; each with batch norms of its own"
    )
    memory: Literal["normal", "low", "lowest"] = flag(
        "normal",
        "low: the losses of CycleGAN and CUT one after the other (same result, less memory); lowest: also compute the "
        "residual blocks a second time instead of remembering them (slower)",
    )
    ema: float = flag(
        0.0, "share that the average of the generators' weights keeps at every step, such as 0.999; 0: no average"
    )
    gan_mode: Literal["lsgan", "vanilla", "wgangp"] = flag(
        "lsgan", "adversarial loss", shorthands={"no_lsgan": "vanilla"}
    )
    pool_size: int = flag(50, "older fakes kept to show to the discriminator; 0 keeps none")
    lr_policy: Literal["linear", "step", "plateau", "cosine"] = flag(
        "linear", "how the learning rate falls", parse=lambda text: {"lambda": "linear"}.get(text, text)
    )
    lr_decay_iters: int = flag(50, "epochs between two steps of --lr_policy step")
    on_nan: Literal["stop", "skip"] = flag(
        "stop", "when a loss is no number: stop, or skip the rest of that step (waits for the device at every step)"
    )

    def __post_init__(self) -> None:
        at_least("--n_epochs", self.n_epochs, 0)
        at_least("--n_epochs_decay", self.n_epochs_decay, 0)
        at_least("--n_epochs plus --n_epochs_decay", self.last_epoch, 1)
        at_least("--pool_size", self.pool_size, 0)
        at_least("--lr_decay_iters", self.lr_decay_iters, 1)
        at_least("--clip_grad", self.clip_grad, 0)
        at_least("--accumulate", self.accumulate, 1)
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


@dataclass(frozen=True, kw_only=True)
class SaveOptions:
    """What is saved, and how often."""

    save_latest_freq: int = flag(5000, "images between two saves of the latest weights")
    save_epoch_freq: int = flag(5, "epochs between two numbered saves")
    save_by_iter: bool = flag(False, "number the frequent saves iter_<N> instead of latest")
    keep_last: int = flag(0, "numbered saves to keep, the older ones are deleted; 0 keeps all")

    def __post_init__(self) -> None:
        at_least("--save_latest_freq", self.save_latest_freq, 1)
        at_least("--save_epoch_freq", self.save_epoch_freq, 1)
        at_least("--keep_last", self.keep_last, 0)


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """What is shown, and how often. All ``*_freq`` flags count images."""

    display_freq: int = flag(400, "images between two sets of sample images")
    update_html_freq: int = flag(1000, "images between two drawings of the curves on the page")
    print_freq: int = flag(100, "images between two lines of losses")
    no_html: bool = flag(False, "write no page")
    display_winsize: int = flag(256, "width of an image on the page, pixels")
    display_id: int = flag(1, "first window of the Visdom dashboard; 0 switches it off")
    display_server: str = flag("http://localhost", "Visdom server; a local one is started if none answers")
    display_port: int = flag(8097, "port of the Visdom server")
    display_stop_server: bool = flag(False, "end a server that this training has started when it ends")
    display_env: str = flag("", "Visdom environment; empty takes the name of the run")
    display_samples: int = flag(4, "held-out images that are shown every time; 0 switches them off")
    display_ncols: int = flag(4, "images in a row of the dashboard; 0 gives each a window")
    profile: bool = flag(False, "write what the tenth step spends its time on to step_trace.json, for a browser")
    use_tensorboard: bool = flag(False, "log to TensorBoard (pip install tensorboard)")

    def __post_init__(self) -> None:
        for name in ("display_freq", "update_html_freq", "print_freq", "display_winsize"):
            at_least(f"--{name}", getattr(self, name), 1)
        at_least("--display_samples", self.display_samples, 0)
