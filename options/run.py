"""The flags that say which run and which machine, as a frozen dataclass."""

from dataclasses import dataclass
from functools import partial

from options.flag import Settings, flag

_once = partial(flag, scope="command")  # says what this command does, not what the run is
_run = partial(flag, scope="run")  # a test chooses anew


@dataclass(frozen=True, kw_only=True)
class RunOptions(Settings):
    """The run.

    What it is called, what it learns, and the machine it works on.
    """

    name: str = _once(
        "experiment_name",
        "name of the run. Its files lie in a folder of that name in --checkpoints_dir, where test.py and "
        "--continue_train find them: give every training its own",
        metavar="NAME",
        essential=True,
    )
    checkpoints_dir: str = _once(
        "./checkpoints",
        "folder of all runs. Put it where there is room: a run takes some hundred megabytes for every save it keeps",
        metavar="FOLDER",
        essential=True,
    )
    model: str = flag(
        "cycle_gan",
        "what is learned. cycle_gan needs no pairs, pix2pix learns from pairs, cut is a faster cycle_gan in one "
        "direction; test only translates",
        metavar="MODEL",
        essential=True,
        in_test="test",
    )
    epoch: str = _once(
        "latest",
        "which saved weights: latest, best or an epoch number. Compare several: the last is not always the best",
        metavar="EPOCH",
        essential=True,
        aliases=("which_epoch",),
    )
    load_iter: int = _once(
        0, "above 0: the weights saved as iter_N, in place of --epoch. For runs with --save_by_iter", least=0
    )
    suffix: str = _once(
        "",
        "added to the name as _TEXT, in which {model}, {netG} and other flags are filled in. Names the runs of a "
        "series after the flags in which they differ",
        metavar="TEXT",
    )
    verbose: bool = _once(False, "print the networks. Shows every layer, to compare with a paper")
    quiet: bool = _once(False, "print warnings only, and no progress bar. For logs of a cluster, or many runs at once")
    gpu_ids: str = _run(
        "",
        "GPU to use; -1: the CPU. Another one where the first is busy; several, as 0,1, print the torchrun line that "
        "uses them all",
        metavar="IDS",
        otherwise="the first one",
        essential=True,
        instead_of=("device",),
    )
    device: str = _run(
        "auto",
        "the same by PyTorch's names: auto, cpu, cuda, cuda:1 or mps. For machines whose device is no NVIDIA GPU",
        metavar="DEVICE",
        instead_of=("gpu_ids",),
    )
    seed: int = _run(
        0,
        "seed of every random choice. Train with several to learn how much of a difference is luck",
        least=0,
        most=2**32 - 1,
        fixed=True,
    )
    deterministic: bool = flag(
        False, "the same bits in every run on the same GPU. For comparing two runs number by number; costs speed"
    )
    use_wandb: bool = _run(
        False, "log to Weights & Biases too (pip install wandb). To compare runs of several machines"
    )
    wandb_project_name: str = flag(
        "CycleGAN-and-pix2pix", "project there. Keep what belongs together in one", metavar="NAME"
    )
