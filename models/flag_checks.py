"""Flags that contradict each other, or would be ignored, whatever the model: refused in a sentence, or warned of.

``values`` are all flags, resolved (a test has none of those of a training), and ``given`` those typed.
"""

import logging
from collections.abc import Mapping
from typing import Any

from networks.generators import generator_kind
from options.errors import UserError
from options.training import OptimOptions

log = logging.getLogger(__name__)

OF_DISCRIMINATORS = ("netD", "n_layers_D", "patch_size", "num_D", "ndf", "gan_mode", "pool_size", "no_conditional_D")


def check_generator(values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a typed flag that has no effect on the generator at hand."""
    for flag in generator_kind(values["netG"]).does_without:
        if flag in given:
            raise UserError(
                f"--{flag} {given[flag]} has no effect on --netG {values['netG']}, which has a way of its own; "
                "leave it out"
            )


def check_memory(values: Mapping[str, Any], *, has_pieces: bool) -> None:
    """Refuse to split what ``--accumulate`` and ``--memory`` cannot split.

    Args:
        values: see above.
        has_pieces: whether the model's forward can be taken apart.
    """
    accumulate, memory, model = values.get("accumulate", 1), values.get("memory", "normal"), values["model"]
    if accumulate > max(1, values["batch_size"]):
        raise UserError(
            f"--accumulate {accumulate} is more than --batch_size {values['batch_size']}, and a part needs an image; "
            "raise --batch_size, or lower --accumulate"
        )
    if memory == "low" and not has_pieces:
        raise UserError(
            f"--memory low has no effect on --model {model}, whose losses share one pass; leave it out, or split the "
            "batch with --accumulate"
        )
    if memory == "lowest" and not generator_kind(values["netG"]).recomputable:
        instead = "pass --memory low" if has_pieces else "leave it out, or split the batch with --accumulate"
        raise UserError(
            f"--memory lowest computes residual blocks a second time, and --netG {values['netG']} has none; {instead}"
        )
    if memory == "lowest" and values["compile"] != "off":
        raise UserError(f"--memory lowest cannot be combined with --compile {values['compile']}; pass --compile off")


def check_lambdas(values: Mapping[str, Any], given: Mapping[str, Any], gan: str, *others: str) -> None:
    """Refuse weights of losses of which nothing could be learned; warn of what has no effect without a discriminator.

    Args:
        values, given: see above.
        gan, others: the flags that weigh the adversarial loss and the rest.
    """
    if gan not in values or "lr" not in values:  # a test has no losses
        return
    if not any(values[name] for name in (gan, *others)):
        raise UserError(f"with {', '.join(f'--{name} 0' for name in (gan, *others))} there is nothing to learn from")
    ignored = [f"--{name}" for name in OF_DISCRIMINATORS if name in given] if not values[gan] else []
    if ignored:
        log.warning("--%s 0 trains without a discriminator: %s without effect", gan, ", ".join(ignored))


def check_norm(norm: str, opt: OptimOptions, processes: int) -> None:
    """Warn where a batch norm means another training, because of parts of a batch or of several processes.

    Raises:
        UserError: the processes could not share its statistics.
    """
    if norm == "syncbatch" and processes > 1 and (opt.accumulate > 1 or opt.gan_mode == "wgangp"):
        unable = "--accumulate" if opt.accumulate > 1 else "--gan_mode wgangp"
        raise UserError(f"{unable} does not go with --norm syncbatch in several processes; use --norm instance")
    if norm in ("batch", "syncbatch") and opt.accumulate > 1:
        log.warning("--accumulate: --norm %s takes the statistics of each part alone; instance has none", norm)
    if norm == "batch" and processes > 1:
        log.warning("--norm batch takes the statistics of each process alone; --norm syncbatch those of all")
