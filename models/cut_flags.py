"""The flags of CUT and FastCUT: what the two modes set, and what does not go together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from options.errors import UserError
from options.flag import Settings, flag

MODES: Mapping[str, Mapping[str, Any]] = {
    "CUT": {"lambda_NCE": 1.0, "nce_idt": True, "flip_equivariance": False, "n_epochs": 200, "n_epochs_decay": 200},
    "FastCUT": {"lambda_NCE": 10.0, "nce_idt": False, "flip_equivariance": True, "n_epochs": 150, "n_epochs_decay": 50},
}
WHOLE_BATCH = "nce_includes_all_negatives_from_minibatch"
OF_CONTRAST = {"nce_idt", "nce_layers", "nce_T", WHOLE_BATCH, "num_patches", "netF", "netF_nc", "flip_equivariance"}


@dataclass(frozen=True, kw_only=True)
class CUTOptions(Settings):
    """CUT.

    The weights of its losses, and which patches are compared.
    """

    CUT_mode: Literal["CUT", "FastCUT"] = flag(
        "CUT",
        "which of the paper's two. FastCUT is faster: lambda_NCE 10, nce_idt false, flip_equivariance, n_epochs 150, "
        "n_epochs_decay 50",
        essential=True,
        fixed=True,
        parse=lambda text: {"cut": "CUT", "fastcut": "FastCUT"}.get(text.lower(), text),
    )
    lambda_GAN: float = flag(
        1.0,
        "weight of the adversarial loss; 0: no discriminator. To see what it is good for",
        metavar="WEIGHT",
        least=0,
    )
    lambda_NCE: float = flag(1.0, "weight of the contrastive loss. More keeps the input", metavar="WEIGHT", least=0)
    nce_idt: bool = flag(True, "contrastive loss also between B and what G makes of it. It keeps colours")
    nce_layers: str = flag(
        "",
        "where patches are read, as 0,4,7: places in G's model. Early ones are about texture, late ones about shape",
        metavar="PLACES",
        otherwise="five, as in the paper",
        fixed=True,
    )
    nce_T: float = flag(0.07, "temperature of the contrastive loss. Less looks at alike patches", metavar="FACTOR")
    nce_includes_all_negatives_from_minibatch: bool = flag(
        False, "other patches are those of the whole batch. For large batches of one kind of image"
    )
    num_patches: int = flag(256, "patches of each layer and image. Fewer take less memory", least=2)
    netF: Literal["mlp_sample", "sample"] = flag(
        "mlp_sample", "patches go through a small network, or stay as they are. sample trains less", fixed=True
    )
    netF_nc: int = flag(256, "units of that network. More tell finer differences", least=1, fixed=True)
    flip_equivariance: bool = flag(
        False, "show G half of the images in a mirror, and turn its features back. In place of nce_idt, as in FastCUT"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nce_T <= 0:
            raise UserError(f"--nce_T {self.nce_T} must be above 0; the usual value is 0.07")
        if not re.fullmatch(r"(\d+(,\d+)*)?", self.nce_layers):
            raise UserError(f"--nce_layers {self.nce_layers!r} is no list of places such as 0,4,7,10,14")

    @property
    def layers(self) -> list[int]:
        """The places in ``nce_layers``."""
        return [int(word) for word in self.nce_layers.split(",") if word]


def check_cut(values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse what the losses cannot do, and flags without effect.

    Args:
        values, given: as in ``TranslationModel.check_options``.
    """
    mode = values["CUT_mode"]
    others = [
        f"--{name} {values[name]}"
        for name, value in MODES[mode].items()
        if values.get(name, value) != value and name not in given
    ]
    if others and "CUT_mode" in given and not values.get("continue_train"):
        raise UserError(
            f"--CUT_mode {mode} means something else than the preset's {', '.join(others)}; leave it out, type "
            "these flags as well, or choose a preset of that mode"
        )
    idle = sorted(OF_CONTRAST & set(given)) if not values["lambda_NCE"] else []
    channels = f"--input_nc {values['input_nc']} and --output_nc {values['output_nc']}"
    one_pass = not (values["nce_idt"] and values["lambda_NCE"])
    for refused, words in (
        (idle, f"--{''.join(idle[:1])} has no effect with --lambda_NCE 0; leave it out"),
        (given.get("pool_size", 0) > 0, "--pool_size has no effect on cut; leave it out"),
        (values["input_nc"] != values["output_nc"], f"cut needs channels of one number, not {channels}"),
        (values.get("memory") == "low" and one_pass, "--memory low has no effect without --nce_idt; leave it out"),
        (
            values.get("accumulate", 1) > 1 and values[WHOLE_BATCH],
            f"--accumulate takes apart what --{WHOLE_BATCH} needs",
        ),
        (
            "netF_nc" in given and values["netF"] == "sample",
            "--netF_nc has no effect with --netF sample; leave it out",
        ),
    ):
        if refused:
            raise UserError(words)
