"""What can be chosen about the scores of an evaluation, as flags."""

from dataclasses import dataclass
from typing import Literal

from options.flag import Settings, flag

ResizeMode = Literal["clean", "legacy_pytorch", "legacy_tensorflow"]


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(Settings):
    """Metrics.

    How the scores are taken, by a validation, test.py --metrics and evaluate.py alike.
    """

    metric_weights: str = flag(
        "",
        "folder of the weights of Inception and AlexNet. On machines without a way to the internet",
        metavar="FOLDER",
        otherwise="the cache of torch.hub, which downloads fill",
    )
    resize_mode: ResizeMode = flag(
        "clean",
        "how images get to Inception's 299 pixels: clean-fid's rule, or those of pytorch-fid or TensorFlow. To compare "
        "with numbers that were taken so",
    )
    kid_subsets: int = flag(
        100, "random subsets of both sets over which KID and its spread are taken. More give a steadier spread", least=1
    )
    kid_subset_size: int = flag(
        1000, "images of a subset, at most half of the smaller set. As a paper took it, to compare with it", least=2
    )
    palette: str = flag(
        "",
        "colours of label maps: cityscapes, facades, or a .json or .txt file of names and r,g,b. Needed by the metrics "
        "labels and segmented",
        metavar="NAME|FILE",
        otherwise="none",
    )
    segmenter: str = flag(
        "",
        "file of the network that finds the classes in photos: TorchScript or torch.export. Needed by segmented",
        metavar="FILE",
        otherwise="none",
    )
    statistics_cache: str = flag(
        "",
        "folder that keeps what was computed of real sets; off keeps nothing. One that all your machines share",
        metavar="FOLDER",
        otherwise="in the cache of torch.hub",
    )
