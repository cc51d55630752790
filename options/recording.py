"""The flags of what a training leaves behind, as frozen dataclasses: what is saved, and what is shown."""

from dataclasses import dataclass

from options.flag import Settings, flag


@dataclass(frozen=True, kw_only=True)
class SaveOptions(Settings):
    """Saving.

    Which weights stay on disk. The newest state always does, so that the run can go on.
    """

    save_latest_freq: int = flag(
        5000,
        "images between two saves of the latest weights. Fewer lose less in a crash, and cost a little time",
        least=1,
    )
    save_epoch_freq: int = flag(
        5, "epochs between two numbered saves. To go back to an earlier one, or compare them", essential=True, least=1
    )
    save_by_iter: bool = flag(False, "number the frequent saves iter_N instead of latest. Where an epoch is very long")
    keep_last: int = flag(
        0, "numbered saves to keep, the older ones are deleted; 0 keeps all. Where the disk is small", least=0
    )


@dataclass(frozen=True, kw_only=True)
class LogOptions(Settings):
    """Showing.

    The dashboard, the web page and the console. All flags that end in _freq count images.
    """

    print_freq: int = flag(
        100, "images between two lines of losses. Also the points of the curves; each waits for the device", least=1
    )
    display_freq: int = flag(
        400, "images between two sets of sample images. Fewer to watch closely; each costs a moment", least=1
    )
    display_id: int = flag(
        1,
        "dashboard's first window; 0: none. 0 on a cluster, where nobody looks at Visdom",
        metavar="N",
        essential=True,
    )
    display_samples: int = flag(
        4, "held-out images that are shown every time; 0 switches them off. The same ones tell progress best", least=0
    )
    display_server: str = flag(
        "http://localhost",
        "Visdom server; a local one is started if none answers. One for all runs of a group, for example",
        metavar="ADDRESS",
    )
    display_port: int = flag(
        8097, "port of the Visdom server. Another where this one is taken", metavar="PORT", least=1, most=65535
    )
    display_env: str = flag(
        "", "Visdom environment. One for several runs shows them together", metavar="NAME", otherwise="--name"
    )
    display_ncols: int = flag(4, "images in a row of the dashboard; 0 gives each a window. For narrow or wide screens")
    display_stop_server: bool = flag(
        False, "end a server that this training has started when it ends. On machines that others use"
    )
    no_html: bool = flag(False, "write no web page. Where nobody looks at it")
    update_html_freq: int = flag(
        1000, "images between two drawings of the curves on the web page. More where a step is very short", least=1
    )
    display_winsize: int = flag(
        256, "pixels of width of an image on the web page. As large as --crop_size shows all", least=1, scope="run"
    )
    use_tensorboard: bool = flag(False, "log to TensorBoard too (pip install tensorboard). For those used to it")
    profile: bool = flag(
        False, "write what the tenth step spends its time on to step_trace.json. To find what makes steps slow"
    )
