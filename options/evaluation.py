"""What can be chosen about the scores of an evaluation, as flags."""

from dataclasses import dataclass
from typing import Literal

from options.flag import at_least, flag

ResizeMode = Literal["clean", "legacy_pytorch", "legacy_tensorflow"]


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """Evaluation.

    Raises:
        UserError: a value is impossible.
    """

    metric_weights: str = flag(
        "", "folder of the weights of Inception and AlexNet; empty is the cache of torch.hub, which downloads fill"
    )
    resize_mode: ResizeMode = flag(
        "clean", "how images get to Inception's 299 pixels: clean-fid's rule, or those of pytorch-fid or TensorFlow"
    )
    kid_subsets: int = flag(100, "random subsets of both sets over which KID and its spread are taken")
    kid_subset_size: int = flag(1000, "images of a subset, at most half of the smaller set")
    palette: str = flag("", "colours of label maps: cityscapes, facades, or a .json or .txt file of names and r,g,b")
    segmenter: str = flag("", "file of the network that finds the classes in photos: TorchScript or torch.export")
    statistics_cache: str = flag(
        "", "folder that keeps what was computed of real sets; empty is in the cache of torch.hub, off keeps nothing"
    )

    def __post_init__(self) -> None:
        at_least("--kid_subsets", self.kid_subsets, 1)
        at_least("--kid_subset_size", self.kid_subset_size, 2)
